//! The clock of the measurements: wall time, or with `CLOCK=cpu` the processor time of this process.
//!
//! Processor time holds with one thread a side, on a machine that does other work meanwhile.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// Linux counts processor time in hundredths of a second.
const TICK: Duration = Duration::from_millis(10);

pub(crate) fn counts_processor_time() -> bool {
    std::env::var("CLOCK").is_ok_and(|clock| clock == "cpu")
}

/// Time since some fixed moment.
pub(crate) fn now() -> Duration {
    static BEGIN: OnceLock<(bool, Instant)> = OnceLock::new();
    let (processor, begin) = BEGIN.get_or_init(|| (counts_processor_time(), Instant::now()));
    if *processor {
        processor_time()
    } else {
        begin.elapsed()
    }
}

fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Fields 14 and 15, counted from behind the name, which may hold spaces.
    let fields = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .skip(11)
        .take(2);
    TICK * fields.filter_map(|field| field.parse::<u32>().ok()).sum()
}
