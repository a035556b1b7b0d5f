//! Text in columns: pure. Widths are those of a terminal, where a character takes up to two columns.

use textwrap::{Options, WordSplitter, WrapAlgorithm};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Stands for what was left out.
const MORE: &str = "…";

/// The columns that a text takes.
#[must_use]
pub fn width(text: &str) -> usize {
    text.width()
}

/// A text on one line that cannot command the terminal: what models and documents say is shown, not obeyed.
#[must_use]
pub fn clean(text: &str) -> String {
    let visible: String = text
        .chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .filter(|c| is_harmless(*c))
        .collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_harmless(c: char) -> bool {
    // Controls, and those that turn the direction of the text around them.
    !c.is_control() && !matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The lines of a text, broken between words alone; a word that is wider than a line gets cut.
#[must_use]
pub(super) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let options = Options::new(columns.max(1))
        .word_splitter(WordSplitter::NoHyphenation)
        .wrap_algorithm(WrapAlgorithm::FirstFit);
    let lines: Vec<String> = textwrap::wrap(text, options)
        .into_iter()
        .map(|line| line.trim_end().to_owned())
        .collect();
    if lines.is_empty() {
        vec![String::new()]
    } else {
        lines
    }
}

/// The start of a text, cut between words where one ends near the edge.
#[must_use]
pub fn clip(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let room = columns.saturating_sub(width(MORE));
    let end = fitting(text.char_indices(), room).map_or(0, |(at, c)| at + c.len_utf8());
    let kept = &text[..end];
    // A cut right behind a word needs no step back; a long word is not given up for its first half.
    let between = text[end..].starts_with(char::is_whitespace);
    let start = kept
        .rfind(char::is_whitespace)
        .filter(|at| !between && width(&kept[..*at]) * 2 >= room);
    format!("{}{MORE}", start.map_or(kept, |at| &kept[..at]).trim_end())
}

/// The end of a text, cut between words where one begins near the edge.
#[must_use]
pub fn tail(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let room = columns.saturating_sub(width(MORE));
    let begin = fitting(text.char_indices().rev(), room).map_or(text.len(), |(at, _)| at);
    let kept = &text[begin..];
    let between = text[..begin].ends_with(char::is_whitespace);
    let start = kept
        .find(char::is_whitespace)
        .filter(|at| !between && width(&kept[*at..]) * 2 >= room);
    format!(
        "{MORE}{}",
        start.map_or(kept, |at| &kept[at..]).trim_start()
    )
}

/// The last of the characters that fit.
fn fitting(characters: impl Iterator<Item = (usize, char)>, room: usize) -> Option<(usize, char)> {
    let mut used = 0;
    characters
        .take_while(|(_, c)| {
            used += c.width().unwrap_or(0);
            used <= room
        })
        .last()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_between_words() {
        assert_eq!(clip("one two three", 13), "one two three");
        assert_eq!(clip("one two three", 12), "one two…");
        assert_eq!(clip("one two three", 8), "one two…");
        assert_eq!(tail("one two three", 12), "…two three");
        assert_eq!(tail("one two three", 10), "…two three");
        assert_eq!(tail("one two three", 9), "…three");
    }

    #[test]
    fn a_long_word_is_cut_rather_than_lost() {
        assert_eq!(clip("a incomprehensibilities", 10), "a incompr…");
        assert_eq!(tail("incomprehensibilities z", 10), "…ilities z");
    }

    #[test]
    fn wide_characters_take_two_columns() {
        assert_eq!(width("蜂群"), 4);
        assert_eq!(clip("蜂群蜂群", 5), "蜂群…");
        assert_eq!(tail("蜂群蜂群", 6), "…蜂群");
        assert!(wrap("蜂群蜂群蜂群", 5).iter().all(|line| width(line) <= 5));
    }

    #[test]
    fn lines_break_between_words() {
        assert_eq!(
            wrap("press Ctrl-C to stop", 11),
            ["press", "Ctrl-C to", "stop"]
        );
        assert_eq!(wrap("", 5), [""]);
    }

    #[test]
    fn no_text_commands_the_terminal() {
        assert_eq!(clean("a\u{1b}[31m b\r\n\tc\u{7}\u{202e}d"), "a[31m b cd");
    }
}
