//! The screen: where lines go, how wide it is and whether it takes colours.

use std::io::{self, IsTerminal, Write};

use anstream::{AutoStream, ColorChoice};

use super::Line;

/// Columns where nobody says how many there are.
const PIPED: usize = 80;
/// Below this, text cannot be laid out.
const NARROWEST: usize = 40;

/// Standard output as it is.
#[derive(Debug, Clone, Copy)]
pub struct Screen {
    /// Whether it takes colours.
    pub colour: bool,
    /// Whether lines can be drawn over.
    pub is_terminal: bool,
}

impl Screen {
    /// Standard output of this process. `NO_COLOR`, `CLICOLOR` and `TERM=dumb` are heeded.
    #[must_use]
    pub fn of_process() -> Self {
        let out = io::stdout();
        let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self {
            colour: AutoStream::choice(&out) != ColorChoice::Never,
            is_terminal: out.is_terminal() && !is_dumb,
        }
    }

    /// The columns there are now; a terminal may have changed since.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.size().0
    }

    /// Columns and rows.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        let found = if self.is_terminal {
            terminal_size::terminal_size_of(io::stdout())
        } else {
            None
        };
        found.map_or((PIPED, 24), |(columns, rows)| {
            (usize::from(columns.0).max(NARROWEST), usize::from(rows.0))
        })
    }

    /// The line as this screen takes it.
    #[must_use]
    pub fn render(&self, line: &Line) -> String {
        if self.colour {
            line.ansi()
        } else {
            line.text()
        }
    }

    /// Prints lines.
    ///
    /// # Errors
    /// When standard output is closed.
    pub fn print(&self, lines: &[Line]) -> io::Result<()> {
        let text: String = lines.iter().map(|line| self.render(line) + "\n").collect();
        self.write(&text)
    }

    /// Writes text as it is.
    ///
    /// # Errors
    /// When standard output is closed.
    pub fn write(&self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()
    }
}
