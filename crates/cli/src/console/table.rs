//! Tables that fit the terminal: pure.

use super::line::{Line, Style};
use super::text;

/// On which side a column's text stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Align {
    /// Words.
    #[default]
    Left,
    /// Numbers.
    Right,
}

/// What happens to a column that finds too little room.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Fit {
    /// It stays whole: ids, numbers.
    #[default]
    Whole,
    /// Its end is left out.
    Clip,
    /// It goes on below.
    Wrap,
}

/// A column.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    title: &'static str,
    align: Align,
    fit: Fit,
}

impl Column {
    /// A column of words that stays whole.
    #[must_use]
    pub const fn new(title: &'static str) -> Self {
        Self {
            title,
            align: Align::Left,
            fit: Fit::Whole,
        }
    }

    /// A column of numbers.
    #[must_use]
    pub const fn number(title: &'static str) -> Self {
        Self {
            title,
            align: Align::Right,
            fit: Fit::Whole,
        }
    }

    /// A column whose end is left out where there is too little room.
    #[must_use]
    pub const fn clipped(title: &'static str) -> Self {
        Self {
            title,
            align: Align::Left,
            fit: Fit::Clip,
        }
    }

    /// A column that goes on below where there is too little room.
    #[must_use]
    pub const fn wrapped(title: &'static str) -> Self {
        Self {
            title,
            align: Align::Left,
            fit: Fit::Wrap,
        }
    }
}

/// Rows under titles.
#[derive(Debug, Clone)]
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<(Style, String)>>,
}

const GAP: usize = 2;
/// A column that gives way keeps this much.
const LEAST: usize = 8;

impl Table {
    /// A table without rows.
    #[must_use]
    pub fn new(columns: impl Into<Vec<Column>>) -> Self {
        Self {
            columns: columns.into(),
            rows: Vec::new(),
        }
    }

    /// Adds a row.
    pub fn row<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = S>) {
        self.styled(cells.into_iter().map(|cell| (Style::Plain, cell)));
    }

    /// Adds a row whose cells have styles.
    pub fn styled<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = (Style, S)>) {
        self.rows.push(
            cells
                .into_iter()
                .map(|(style, cell)| (style, text::clean(&cell.into())))
                .collect(),
        );
    }

    /// Adds a row whose first cell stands behind a prefix that is taken as it is, such as a tree's branches.
    pub fn branch<S: Into<String>>(
        &mut self,
        prefix: &str,
        cells: impl IntoIterator<Item = (Style, S)>,
    ) {
        self.styled(cells);
        if let Some((_, cell)) = self.rows.last_mut().and_then(|row| row.first_mut()) {
            cell.insert_str(0, prefix);
        }
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Its lines, none wider than `columns` unless what must stay whole is.
    #[must_use]
    pub fn lines(&self, columns: usize) -> Vec<Line> {
        let widths = self.widths(columns);
        let titles: Vec<(Style, String)> = self
            .columns
            .iter()
            .map(|column| (Style::Dim, column.title.to_owned()))
            .collect();
        std::iter::once(&titles)
            .chain(&self.rows)
            .flat_map(|row| self.row_lines(row, &widths))
            .collect()
    }

    fn widths(&self, columns: usize) -> Vec<usize> {
        let mut widths: Vec<usize> = self
            .columns
            .iter()
            .map(|column| text::width(column.title))
            .collect();
        for row in &self.rows {
            for (width, (_, cell)) in widths.iter_mut().zip(row) {
                *width = (*width).max(text::width(cell));
            }
        }
        let gaps = GAP * widths.len().saturating_sub(1);
        let mut over = (widths.iter().sum::<usize>() + gaps).saturating_sub(columns);
        while over > 0 {
            // The widest gives way first, so that a short column is not spoilt by a long one.
            let widest = (0..widths.len())
                .filter(|index| self.columns[*index].fit != Fit::Whole && widths[*index] > LEAST)
                .max_by_key(|index| widths[*index]);
            let Some(widest) = widest else { break };
            widths[widest] -= 1;
            over -= 1;
        }
        widths
    }

    fn row_lines(&self, row: &[(Style, String)], widths: &[usize]) -> Vec<Line> {
        let cells: Vec<Vec<String>> = row
            .iter()
            .zip(&self.columns)
            .zip(widths)
            .map(|(((_, cell), column), width)| match column.fit {
                Fit::Wrap => text::wrap(cell, *width),
                Fit::Clip => vec![text::clip(cell, *width)],
                Fit::Whole => vec![cell.clone()],
            })
            .collect();
        let height = cells.iter().map(Vec::len).max().unwrap_or(1);
        (0..height)
            .map(|index| {
                let mut line = Line::new();
                for (place, lines) in cells.iter().enumerate() {
                    let cell = lines.get(index).map_or("", String::as_str);
                    let space = " ".repeat(widths[place].saturating_sub(text::width(cell)));
                    let gap = if place > 0 {
                        " ".repeat(GAP)
                    } else {
                        String::new()
                    };
                    line = match self.columns[place].align {
                        Align::Left => line.plain(gap).with(row[place].0, cell).plain(space),
                        Align::Right => line.plain(gap).plain(space).with(row[place].0, cell),
                    };
                }
                line
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(columns: usize) -> String {
        let mut table = Table::new([
            Column::new("ID"),
            Column::number("TOKENS"),
            Column::wrapped("SAID"),
            Column::clipped("FROM"),
        ]);
        table.row([
            "task_01",
            "1,024",
            "a sentence with some words",
            "a long name of somebody",
        ]);
        table.row(["task_2", "7", "short", "蜂群"]);
        let lines = table.lines(columns);
        assert!(
            lines.iter().all(|line| line.width() <= columns.max(44)),
            "{lines:?}"
        );
        lines.iter().map(Line::text).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn what_fits_stays() {
        assert_eq!(
            shown(100),
            "ID       TOKENS  SAID                        FROM\n\
             task_01   1,024  a sentence with some words  a long name of somebody\n\
             task_2        7  short                       蜂群"
        );
    }

    #[test]
    fn what_does_not_fit_is_wrapped_or_clipped_between_words() {
        assert_eq!(
            shown(48),
            "ID       TOKENS  SAID             FROM\n\
             task_01   1,024  a sentence with  a long name…\n                 \
                              some words\n\
             task_2        7  short            蜂群"
        );
    }
}
