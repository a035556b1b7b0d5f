//! Logins by name and password.

mod throttle;

pub(crate) use throttle::{Limits, Throttle};
