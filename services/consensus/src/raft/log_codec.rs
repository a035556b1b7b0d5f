//! How votes, log ids and payloads lie in the log's records. All but payloads are of fixed size.

use std::io::{self, Read, Write};
use std::sync::Arc;

use raft_log::codeq::{Decode, Encode};

use super::types::{LeaderId, LogId, Vote};

const VERSION: u8 = 1;
/// Entries are bounded far below this where they are proposed.
const MAX_PAYLOAD: u32 = 64 << 20;

/// A vote. Its order is openraft's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct StoredVote {
    term: u64,
    node: u64,
    committed: bool,
}

/// A log id. Its order is openraft's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct StoredLogId {
    term: u64,
    node: u64,
    pub(super) index: u64,
}

/// The encoded payload of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StoredPayload(pub(super) Arc<[u8]>);

impl From<&Vote> for StoredVote {
    fn from(vote: &Vote) -> Self {
        Self {
            term: vote.leader_id.term,
            node: vote.leader_id.node_id,
            committed: vote.committed,
        }
    }
}

impl From<StoredVote> for Vote {
    fn from(vote: StoredVote) -> Self {
        if vote.committed {
            Self::new_committed(vote.term, vote.node)
        } else {
            Self::new(vote.term, vote.node)
        }
    }
}

impl From<LogId> for StoredLogId {
    fn from(id: LogId) -> Self {
        Self {
            term: id.leader_id.term,
            node: id.leader_id.node_id,
            index: id.index,
        }
    }
}

impl From<StoredLogId> for LogId {
    fn from(id: StoredLogId) -> Self {
        Self {
            leader_id: LeaderId {
                term: id.term,
                node_id: id.node,
            },
            index: id.index,
        }
    }
}

impl Encode for StoredVote {
    fn encode<W: Write>(&self, mut writer: W) -> io::Result<usize> {
        let mut n = VERSION.encode(&mut writer)?;
        n += self.term.encode(&mut writer)?;
        n += self.node.encode(&mut writer)?;
        n += u8::from(self.committed).encode(&mut writer)?;
        Ok(n)
    }
}

impl Decode for StoredVote {
    fn decode<R: Read>(mut reader: R) -> io::Result<Self> {
        version(&mut reader)?;
        Ok(Self {
            term: u64::decode(&mut reader)?,
            node: u64::decode(&mut reader)?,
            committed: u8::decode(&mut reader)? != 0,
        })
    }
}

impl Encode for StoredLogId {
    fn encode<W: Write>(&self, mut writer: W) -> io::Result<usize> {
        let mut n = VERSION.encode(&mut writer)?;
        n += self.term.encode(&mut writer)?;
        n += self.node.encode(&mut writer)?;
        n += self.index.encode(&mut writer)?;
        Ok(n)
    }
}

impl Decode for StoredLogId {
    fn decode<R: Read>(mut reader: R) -> io::Result<Self> {
        version(&mut reader)?;
        Ok(Self {
            term: u64::decode(&mut reader)?,
            node: u64::decode(&mut reader)?,
            index: u64::decode(&mut reader)?,
        })
    }
}

impl Encode for StoredPayload {
    fn encode<W: Write>(&self, mut writer: W) -> io::Result<usize> {
        let length = u32::try_from(self.0.len()).map_err(io::Error::other)?;
        let mut n = length.encode(&mut writer)?;
        // The length twice, once inverted: a flipped bit in it would otherwise look like a record
        // that was cut short by a crash, and what follows would be dropped as never written.
        n += (!length).encode(&mut writer)?;
        writer.write_all(&self.0)?;
        Ok(n + self.0.len())
    }
}

impl Decode for StoredPayload {
    fn decode<R: Read>(mut reader: R) -> io::Result<Self> {
        let length = u32::decode(&mut reader)?;
        if u32::decode(&mut reader)? != !length || length > MAX_PAYLOAD {
            return Err(damaged("the length of an entry is damaged"));
        }
        let mut bytes = vec![0; length as usize];
        reader.read_exact(&mut bytes)?;
        Ok(Self(bytes.into()))
    }
}

fn version<R: Read>(reader: &mut R) -> io::Result<()> {
    match u8::decode(reader)? {
        VERSION => Ok(()),
        other => Err(damaged(&format!(
            "version {other} of a log record is not known"
        ))),
    }
}

fn damaged(words: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, words)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn bytes(value: &impl Encode) -> Vec<u8> {
        let mut bytes = Vec::new();
        let n = value.encode(&mut bytes).unwrap();
        assert_eq!(n, bytes.len());
        bytes
    }

    /// These bytes are on disks: they never change, a new version adds to them.
    #[test]
    fn bytes_are_pinned() {
        let vote = StoredVote::from(&Vote::new_committed(3, 1));
        let expected = [1, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 1, 1];
        assert_eq!(bytes(&vote), expected);
        assert_eq!(StoredVote::decode(&expected[..]).unwrap(), vote);

        let id = StoredLogId {
            term: 3,
            node: 1,
            index: 258,
        };
        let expected = [
            1, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 2,
        ];
        assert_eq!(bytes(&id), expected);
        assert_eq!(StoredLogId::decode(&expected[..]).unwrap(), id);

        let payload = StoredPayload(vec![7, 8].into());
        let expected = [0, 0, 0, 2, 255, 255, 255, 253, 7, 8];
        assert_eq!(bytes(&payload), expected);
        assert_eq!(StoredPayload::decode(&expected[..]).unwrap(), payload);
    }

    #[test]
    fn a_damaged_length_does_not_look_like_the_end_of_the_file() {
        let mut bytes = bytes(&StoredPayload(vec![7; 9].into()));
        bytes[2] ^= 1;
        let error = StoredPayload::decode(&bytes[..]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn orders_are_openrafts() {
        let votes = [
            Vote::new(1, 1),
            Vote::new_committed(1, 1),
            Vote::new(1, 2),
            Vote::new(2, 1),
        ];
        for pair in votes.windows(2) {
            assert!(pair[0] < pair[1]);
            assert!(StoredVote::from(&pair[0]) < StoredVote::from(&pair[1]));
        }
    }
}
