//! The secret of an API key, `qsk_<prefix>_<random>`: pure.

use super::{hash, hex};

const MARK: &str = "qsk_";
const PREFIX_BYTES: usize = 6;
const RANDOM_BYTES: usize = 32;

/// Random bytes of one secret.
pub(crate) type Entropy = [u8; PREFIX_BYTES + RANDOM_BYTES];

/// A new secret, to be shown once.
pub(crate) struct NewSecret {
    /// The whole.
    pub(crate) secret: String,
    /// Its start, by which it is looked up and recognised.
    pub(crate) prefix: String,
    /// What is stored.
    pub(crate) hash: Vec<u8>,
}

impl NewSecret {
    pub(crate) fn from_entropy(entropy: &Entropy) -> Self {
        let (prefix, random) = entropy.split_at(PREFIX_BYTES);
        let prefix = format!("{MARK}{}", hex(prefix));
        let secret = format!("{prefix}_{}", hex(random));
        Self {
            hash: hash(&secret),
            secret,
            prefix,
        }
    }
}

/// The prefix of a secret that somebody shows, if it has the form of one.
pub(crate) fn prefix_of(secret: &str) -> Option<&str> {
    let length = MARK.len() + PREFIX_BYTES * 2;
    let (prefix, rest) = (secret.get(..length)?, secret.get(length..)?);
    let is_hex = |text: &str| {
        text.bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let random = rest
        .strip_prefix('_')
        .filter(|random| random.len() == RANDOM_BYTES * 2 && is_hex(random));
    random
        .and(prefix.strip_prefix(MARK).filter(|digits| is_hex(digits)))
        .map(|_| prefix)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_secret_shows_its_prefix_and_nothing_else_has_one() {
        let new = NewSecret::from_entropy(&[0xa5; PREFIX_BYTES + RANDOM_BYTES]);
        assert_eq!(new.prefix, "qsk_a5a5a5a5a5a5");
        assert_eq!(prefix_of(&new.secret), Some(new.prefix.as_str()));
        assert_eq!(new.hash, hash(&new.secret));
        let cut = &new.secret[..new.secret.len() - 1];
        let upper = new.secret.to_uppercase();
        let other_mark = new.secret.replace("qsk_", "qsx_");
        for text in [
            "",
            "qsk_",
            &new.prefix,
            cut,
            &upper,
            &other_mark,
            &format!("{}0", new.secret),
            "qsk_ä5a5a5a5a5a5",
        ] {
            assert_eq!(prefix_of(text), None, "{text}");
        }
    }
}
