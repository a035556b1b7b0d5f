//! A terminal that is ours for a while: another screen, no cursor, keys as they are pressed. However
//! it ends, it is left as it was found.

use std::io::{self, IsTerminal, Read};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::console::{Line, Screen};

const ENTER: &str = "\x1b[?1049h\x1b[?25l";
const LEAVE: &str = "\x1b[?25h\x1b[?1049l";

/// The terminal, until it is dropped.
pub(super) struct FullScreen {
    screen: Screen,
    /// Its modes before; `None` where keys come from elsewhere.
    before: Option<Termios>,
    keys: UnboundedReceiver<u8>,
}

impl FullScreen {
    pub(super) fn enter(screen: Screen) -> io::Result<Self> {
        let input = io::stdin();
        let before = if input.is_terminal() {
            let before = tcgetattr(&input)?;
            let mut keys = before.clone();
            // Signals stay: Ctrl-C and Ctrl-Z do what they always do.
            keys.local_modes
                .remove(LocalModes::ICANON | LocalModes::ECHO);
            tcsetattr(&input, OptionalActions::Now, &keys)?;
            Some(before)
        } else {
            None
        };
        let entered = Self {
            screen,
            keys: keys(before.is_some()),
            before,
        };
        screen.write(ENTER)?;
        Ok(entered)
    }

    /// Shows these lines and nothing else.
    pub(super) fn draw(&mut self, lines: &[Line]) -> io::Result<()> {
        let lines: Vec<String> = lines
            .iter()
            .map(|line| self.screen.render(line) + "\x1b[K")
            .collect();
        // Over what is there, so that nothing flickers.
        let text = format!("\x1b[H{}\x1b[J", lines.join("\r\n"));
        self.screen.write(&text)
    }

    /// The next key; never ready where there is no keyboard.
    pub(super) async fn key(&mut self) -> Option<u8> {
        self.keys.recv().await
    }
}

impl Drop for FullScreen {
    fn drop(&mut self) {
        // A terminal that is gone needs no mending.
        self.screen.write(LEAVE).ok();
        if let Some(before) = &self.before {
            tcsetattr(io::stdin(), OptionalActions::Now, before).ok();
        }
    }
}

/// Keys as they are pressed. The thread waits in a read that nothing interrupts, and ends with the process.
fn keys(is_terminal: bool) -> UnboundedReceiver<u8> {
    let (sender, keys) = unbounded_channel();
    if is_terminal {
        std::thread::spawn(move || {
            for key in io::stdin().lock().bytes() {
                if key.is_err() || sender.send(key.unwrap_or_default()).is_err() {
                    return;
                }
            }
        });
    }
    keys
}
