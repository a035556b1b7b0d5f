//! What the terminal shows: lines with styles, tables, and the screen they go to.

mod line;
mod numbers;
mod screen;
mod table;
mod text;

pub use line::{Line, Style, flow, hang, quote};
pub use numbers::{brief, clock, count, moment, rate, seconds, span, tokens};
pub use screen::Screen;
pub use table::{Column, Table};
pub use text::{clean, clip, tail, width};
