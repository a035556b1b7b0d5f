//! What lies on disk: the payloads of the log and the records of snapshots, each with its version.

mod v1;
#[cfg(test)]
mod v1_test;

use std::io;

use super::types::Payload;

pub(super) use v1::{SnapshotHeader, proposal_from, proposal_record};

/// The version that is written.
const CURRENT: u8 = 1;

/// A payload as it lies in the log: its version, then its bytes.
pub(super) fn encode(payload: &Payload) -> Vec<u8> {
    let mut bytes = vec![CURRENT];
    v1::encode(payload, &mut bytes);
    bytes
}

/// A payload from the log, of any version that was ever written.
pub(super) fn decode(bytes: &[u8]) -> io::Result<Payload> {
    match bytes.split_first() {
        Some((1, rest)) => v1::decode(rest),
        Some((version, _)) => Err(damaged(format!(
            "version {version} of a log entry is not known to this version of the program"
        ))),
        None => Err(damaged("a log entry is empty".to_owned())),
    }
}

/// Something on disk does not say what it should.
pub(super) fn damaged(words: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, words)
}
