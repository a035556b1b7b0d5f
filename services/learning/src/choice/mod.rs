//! Choosing arms from what is known of them.

mod beta;
mod propensity;
mod thompson;

pub use beta::Beta;
pub use propensity::Curves;
pub use thompson::{Arm, Chosen, POLICY, choose};
