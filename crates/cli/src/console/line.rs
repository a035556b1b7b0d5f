//! A line of styled text: pure. Styles become colours, or nothing, when the line is printed.

use anstyle::{AnsiColor, Color, Style as Ansi};

use super::text;

/// What a piece of text is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Style {
    /// Nothing special.
    #[default]
    Plain,
    /// A title.
    Strong,
    /// Beside the point: times, ids.
    Dim,
    /// It went well.
    Good,
    /// It did not.
    Bad,
    /// Wants attention.
    Warn,
    /// The name of an agent, by its place.
    Agent(usize),
}

impl Style {
    fn ansi(self) -> Ansi {
        let of = |color: AnsiColor| Ansi::new().fg_color(Some(Color::Ansi(color)));
        const AGENTS: [AnsiColor; 4] = [
            AnsiColor::Cyan,
            AnsiColor::Magenta,
            AnsiColor::Blue,
            AnsiColor::Yellow,
        ];
        match self {
            Self::Plain => Ansi::new(),
            Self::Strong => Ansi::new().bold(),
            Self::Dim => Ansi::new().dimmed(),
            Self::Good => of(AnsiColor::Green),
            Self::Bad => of(AnsiColor::Red),
            Self::Warn => of(AnsiColor::Yellow),
            Self::Agent(place) => of(AGENTS[place % AGENTS.len()]),
        }
    }
}

/// Text gets at least this many columns, however long its prefix is.
const LEAST_TEXT: usize = 16;

/// One line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line(Vec<(Style, String)>);

impl Line {
    /// An empty line.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same line with more text.
    #[must_use]
    pub fn plain(self, text: impl Into<String>) -> Self {
        self.with(Style::Plain, text)
    }

    /// The same line with more text of this style.
    #[must_use]
    pub fn with(mut self, style: Style, text: impl Into<String>) -> Self {
        let text = text.into();
        if !text.is_empty() {
            self.0.push((style, text));
        }
        self
    }

    /// The same line with another behind it.
    #[must_use]
    pub fn then(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// The same line, filled with spaces up to this width.
    #[must_use]
    pub fn padded(self, columns: usize) -> Self {
        let missing = columns.saturating_sub(self.width());
        self.plain(" ".repeat(missing))
    }

    /// The columns it takes.
    #[must_use]
    pub fn width(&self) -> usize {
        self.0.iter().map(|(_, piece)| text::width(piece)).sum()
    }

    /// Its text without styles and without spaces at the end.
    #[must_use]
    pub fn text(&self) -> String {
        let text: String = self.0.iter().map(|(_, text)| text.as_str()).collect();
        text.trim_end().to_owned()
    }

    /// Its text with the terminal's codes for its styles.
    #[must_use]
    pub fn ansi(&self) -> String {
        let mut out = String::new();
        for (style, text) in &self.0 {
            let ansi = style.ansi();
            out.push_str(&format!("{ansi}{text}{ansi:#}"));
        }
        out
    }
}

impl From<&str> for Line {
    fn from(text: &str) -> Self {
        Self::new().plain(text)
    }
}

impl From<String> for Line {
    fn from(text: String) -> Self {
        Self::new().plain(text)
    }
}

/// Text behind a prefix; lines after the first begin below the text.
#[must_use]
pub fn hang(prefix: Line, style: Style, words: &str, columns: usize) -> Vec<Line> {
    let indent = prefix.width();
    let mut prefix = Some(prefix);
    text::wrap(words, columns.saturating_sub(indent).max(LEAST_TEXT))
        .into_iter()
        .map(|line| {
            prefix
                .take()
                .unwrap_or_else(|| Line::new().plain(" ".repeat(indent)))
                .with(style, line)
        })
        .collect()
}

/// Pieces behind a prefix, each whole, two spaces apart, on as many lines as it takes.
#[must_use]
pub fn flow(prefix: Line, pieces: impl IntoIterator<Item = Line>, columns: usize) -> Vec<Line> {
    let indent = prefix.width();
    let mut lines = Vec::new();
    let mut line = prefix;
    for piece in pieces {
        if line.width() > indent && line.width() + 2 + piece.width() > columns {
            lines.push(std::mem::replace(
                &mut line,
                Line::new().plain(" ".repeat(indent)),
            ));
        }
        let gap = if line.width() > indent { "  " } else { "" };
        line = line.plain(gap).then(piece);
    }
    lines.push(line);
    lines
}

/// Words as they were said, each line behind a bar.
#[must_use]
pub fn quote(indent: usize, words: &str, columns: usize) -> Vec<Line> {
    let bar = || Line::new().plain(" ".repeat(indent)).with(Style::Dim, "│ ");
    let room = columns.saturating_sub(indent + 2).max(16);
    words
        .lines()
        .flat_map(|line| text::wrap(&text::clean(line), room))
        .map(|line| bar().plain(line))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn styles_are_codes_around_the_text_alone() {
        let line = Line::new().with(Style::Good, "✓").plain(" done");
        assert_eq!(line.text(), "✓ done");
        assert_eq!(line.ansi(), "\u{1b}[32m✓\u{1b}[0m done");
    }

    #[test]
    fn text_hangs_below_itself() {
        let lines = hang(
            Line::from("who  "),
            Style::Plain,
            "one two three four five",
            21,
        );
        let texts: Vec<String> = lines.iter().map(Line::text).collect();
        assert_eq!(texts, ["who  one two three", "     four five"]);
    }

    #[test]
    fn pieces_stay_whole() {
        let lines = flow(
            Line::from("f "),
            ["a ✓✓", "b ✓✗", "c ·"].map(Line::from),
            11,
        );
        let texts: Vec<String> = lines.iter().map(Line::text).collect();
        assert_eq!(texts, ["f a ✓✓", "  b ✓✗  c ·"]);
    }
}
