//! The refresh token, opaque to whoever holds it: pure.
//!
//! It names tenant and session, so that it is found without an index over all tenants, and proves
//! itself by 256 random bits.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use swarm_types::TenantId;
use uuid::Uuid;

use super::hash;

const MARK: &str = "qsr_";

/// Random bytes of one token.
pub(crate) type Entropy = [u8; 32];

/// Where a token's session is, and what of the token is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) tenant: TenantId,
    pub(crate) session: Uuid,
    pub(crate) hash: Vec<u8>,
}

/// The token of this session with these random bytes.
pub(crate) fn encode(tenant: TenantId, session: Uuid, entropy: &Entropy) -> (String, Address) {
    let bytes = [
        tenant.uuid().as_bytes().as_slice(),
        session.as_bytes(),
        entropy,
    ]
    .concat();
    let token = format!("{MARK}{}", URL_SAFE_NO_PAD.encode(bytes));
    let hash = hash(&token);
    (
        token,
        Address {
            tenant,
            session,
            hash,
        },
    )
}

/// Where the session of a token is, if it has the form of one.
pub(crate) fn decode(token: &str) -> Option<Address> {
    let bytes = URL_SAFE_NO_PAD.decode(token.strip_prefix(MARK)?).ok()?;
    let bytes: [u8; 64] = bytes.try_into().ok()?;
    let id = |from: usize| Uuid::from_slice(&bytes[from..from + 16]).ok();
    Some(Address {
        tenant: TenantId::from_uuid(id(0)?),
        session: id(16)?,
        hash: hash(token),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_token_leads_back_to_its_session() {
        let (token, address) = encode(TenantId::new(), Uuid::now_v7(), &[7; 32]);
        assert_eq!(decode(&token), Some(address));
        let with_more = format!("{token}AA");
        for text in ["", "qsr_", &token[4..], &token[..60], &with_more, "qsr_ä"] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
