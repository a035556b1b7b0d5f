//! Server-sent events, as far as chat completions use them. Pure.

/// Gathers the data of events from pieces that are cut anywhere.
#[derive(Debug, Default)]
pub(super) struct Parser {
    line: Vec<u8>,
    data: String,
}

impl Parser {
    /// The data of the events that are whole with these bytes.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut events = Vec::new();
        for &byte in bytes {
            if byte == b'\n' {
                let line = std::mem::take(&mut self.line);
                events.extend(self.take_line(line.strip_suffix(b"\r").unwrap_or(&line)));
            } else {
                self.line.push(byte);
            }
        }
        events
    }

    /// The event that the stream's end completes.
    pub(super) fn finish(&mut self) -> Option<String> {
        let mut events = self.push(b"\n\n");
        events.pop()
    }

    fn take_line(&mut self, line: &[u8]) -> Option<String> {
        if line.is_empty() {
            return Some(std::mem::take(&mut self.data)).filter(|data| !data.is_empty());
        }
        let text = String::from_utf8_lossy(line);
        if let Some(data) = text.strip_prefix("data:") {
            if !self.data.is_empty() {
                self.data.push('\n');
            }
            self.data.push_str(data.strip_prefix(' ').unwrap_or(data));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn comments_other_fields_and_line_ends_do_not_matter() {
        let mut parser = Parser::default();
        let events = parser.push(
            b": hello\r\nevent: x\r\ndata: one\r\n\r\nid: 3\ndata:two\ndata: more\n\ndata: three",
        );
        assert_eq!(events, ["one", "two\nmore"]);
        assert_eq!(parser.finish().as_deref(), Some("three"));
        assert_eq!(parser.finish(), None);
    }

    proptest! {
        #[test]
        fn it_does_not_matter_where_the_bytes_are_cut(
            texts in prop::collection::vec("[a-zé{}:\" ]{1,12}", 1..6), cuts in prop::collection::vec(1_usize..9, 1..40),
        ) {
            let texts: Vec<String> = texts.into_iter().map(|text| format!("x{text}")).collect();
            let whole: String = texts.iter().map(|text| format!("data: {text}\n\n")).collect();
            let (mut parser, mut rest, mut events) = (Parser::default(), whole.as_bytes(), Vec::new());
            for cut in cuts.iter().cycle() {
                let (now, later) = rest.split_at((*cut).min(rest.len()));
                events.extend(parser.push(now));
                rest = later;
                if rest.is_empty() {
                    break;
                }
            }
            prop_assert_eq!(events, texts);
        }
    }
}
