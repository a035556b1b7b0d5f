//! Tokens that somebody would like to pass for ours.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};
use swarm_errors::Code;
use swarm_proto::auth::v1 as wire;
use swarm_proto::auth::v1::user_service_client::UserServiceClient;
use swarm_transport::{Acting, request};
use swarm_types::Clock as _;
use tonic::metadata::MetadataValue;

use crate::running::{Auth, Person, answer, deadline};

struct Forge {
    header: Value,
    claims: Value,
    /// Auth's own: the worst thief has it, and still may only sign what holds.
    key: SigningKey,
    public: Vec<u8>,
}

impl Forge {
    async fn new(auth: &Auth, admin: &Person) -> Self {
        let store = auth.store().await;
        let seed = store.newest_signing_key().await.unwrap().unwrap().seed;
        let key = SigningKey::from_bytes(&seed.try_into().unwrap());
        let part = |n| {
            serde_json::from_slice(
                &URL_SAFE_NO_PAD
                    .decode(admin.token.split('.').nth(n).unwrap())
                    .unwrap(),
            )
        };
        let public = key.verifying_key().as_bytes().to_vec();
        Self {
            header: part(0).unwrap(),
            claims: part(1).unwrap(),
            key,
            public,
        }
    }

    fn token(&self, header: &Value, claims: &Value, sign: impl Fn(&str) -> Vec<u8>) -> String {
        let [header, claims] =
            [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let signed = format!("{header}.{claims}");
        let signature = URL_SAFE_NO_PAD.encode(sign(&signed));
        format!("{signed}.{signature}")
    }

    fn ours(&self, signed: &str) -> Vec<u8> {
        self.key.sign(signed.as_bytes()).to_bytes().to_vec()
    }

    fn with_header(&self, name: &str, value: Value) -> String {
        let mut header = self.header.clone();
        header[name] = value;
        self.token(&header, &self.claims, |signed| self.ours(signed))
    }

    fn with_claim(&self, name: &str, value: Value) -> String {
        let mut claims = self.claims.clone();
        claims[name] = value;
        self.token(&self.header, &claims, |signed| self.ours(signed))
    }

    fn without_claim(&self, name: &str) -> String {
        let mut claims = self.claims.clone();
        claims.as_object_mut().unwrap().remove(name);
        self.token(&self.header, &claims, |signed| self.ours(signed))
    }

    fn hmac(&self, secret: &[u8]) -> String {
        let key = jsonwebtoken::EncodingKey::from_secret(secret);
        let mut header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::HS256);
        header.kid = self.header["kid"].as_str().map(str::to_owned);
        jsonwebtoken::encode(&header, &self.claims, &key).unwrap()
    }

    fn tampered(&self, admin: &Person) -> String {
        let mut parts: Vec<&str> = admin.token.split('.').collect();
        let mut claims = self.claims.clone();
        claims["roles"] = json!(["admin", "operator"]);
        let claims = URL_SAFE_NO_PAD.encode(claims.to_string());
        parts[1] = &claims;
        parts.join(".")
    }

    fn table(&self, admin: &Person, now: i64) -> BTreeMap<&'static str, String> {
        let other = SigningKey::from_bytes(&[3; 32]);
        let by_other = |signed: &str| other.sign(signed.as_bytes()).to_bytes().to_vec();
        let none = json!({"alg": "none", "typ": "JWT", "kid": self.header["kid"]});
        let unsigned = self.token(&none, &self.claims, |_| Vec::new());
        BTreeMap::from([
            ("alg none", unsigned.clone()),
            (
                "alg none without its last point",
                unsigned.trim_end_matches('.').to_owned(),
            ),
            (
                "alg none with our signature",
                self.with_header("alg", json!("none")),
            ),
            ("HS256 with the public key", self.hmac(&self.public)),
            (
                "HS256 with the public key's text",
                self.hmac(URL_SAFE_NO_PAD.encode(&self.public).as_bytes()),
            ),
            ("another algorithm", self.with_header("alg", json!("ES256"))),
            ("unknown kid", self.with_header("kid", json!("nobody"))),
            ("no kid", self.with_header("kid", Value::Null)),
            (
                "another key under our kid",
                self.token(&self.header, &self.claims, by_other),
            ),
            ("tampered payload", self.tampered(admin)),
            (
                "no signature",
                self.token(&self.header, &self.claims, |_| Vec::new()),
            ),
            ("expired", self.with_claim("exp", json!(now - 6))),
            ("not yet valid", self.with_claim("iat", json!(now + 60))),
            (
                "wrong audience",
                self.with_claim("aud", json!("somebody-else")),
            ),
            (
                "wrong issuer",
                self.with_claim("iss", json!("somebody-else")),
            ),
            ("no audience", self.without_claim("aud")),
            ("no issuer", self.without_claim("iss")),
            ("no expiry", self.without_claim("exp")),
            ("no subject", self.without_claim("sub")),
            ("expiry of text", self.with_claim("exp", json!("never"))),
            ("unknown role", self.with_claim("roles", json!(["root"]))),
            ("unknown kind", self.with_claim("kind", json!("god"))),
            (
                "tenant that is no id",
                self.with_claim("tenant", json!("' OR 1=1")),
            ),
            ("empty", String::new()),
            ("three points", "...".to_owned()),
            ("not base64", "ä.ö.ü".replace(|c: char| !c.is_ascii(), "*")),
            ("long", "a".repeat(10_000)),
        ])
    }
}

#[tokio::test]
async fn forged_tokens_are_refused_in_both_places() {
    let auth = Auth::start_on_postgres().await;
    let admin = auth.admin().await;
    let forge = Forge::new(&auth, &admin).await;
    let now = auth.clock.now().timestamp();
    let honest = forge.token(&forge.header, &forge.claims, |signed| forge.ours(signed));
    auth.verifier()
        .verify(&honest)
        .await
        .expect("the forge makes valid tokens where it spoils nothing");
    for (what, token) in forge.table(&admin, now) {
        let forged = Person {
            token: token.clone(),
            ..admin.clone()
        };
        let as_caller = auth
            .users()
            .list_users(forged.ask(wire::ListUsersRequest { page: None }))
            .await;
        assert_eq!(
            answer(as_caller).unwrap_err().code(),
            Code::Unauthenticated,
            "on behalf of: {what}"
        );
        let as_service = ask_plainly(&auth, Some(&token), Some(&admin.token)).await;
        assert_eq!(
            as_service.unwrap_err().code(),
            Code::Unauthenticated,
            "as service: {what}"
        );
        assert!(
            auth.verifier().verify(&token).await.is_err(),
            "verifier: {what}"
        );
    }
}

#[tokio::test]
async fn a_call_needs_a_services_token_beside_the_persons() {
    let auth = Auth::start().await;
    let admin = auth.admin().await;
    let service = auth.dialer.tokens().token().await.unwrap();
    for bearer in [None, Some(admin.token.as_str())] {
        let error = ask_plainly(&auth, bearer, Some(&admin.token))
            .await
            .unwrap_err();
        assert_eq!(error.code(), Code::Unauthenticated);
    }
    ask_plainly(&auth, Some(&service), Some(&admin.token))
        .await
        .unwrap();
    let on_behalf_of_a_service = ask_plainly(&auth, Some(&service), Some(&service))
        .await
        .unwrap_err();
    assert_eq!(on_behalf_of_a_service.code(), Code::PermissionDenied);
}

/// ListUsers with exactly these tokens.
async fn ask_plainly(
    auth: &Auth,
    bearer: Option<&str>,
    on_behalf_of: Option<&str>,
) -> swarm_errors::Result<()> {
    let mut message = request(
        &Acting::Itself,
        deadline(),
        wire::ListUsersRequest { page: None },
    )?;
    if let Some(token) = bearer {
        let value = MetadataValue::try_from(format!("Bearer {token}")).unwrap();
        message.metadata_mut().insert("authorization", value);
    }
    if let Some(token) = on_behalf_of {
        message
            .metadata_mut()
            .insert("x-on-behalf-of", MetadataValue::try_from(token).unwrap());
    }
    answer(
        UserServiceClient::new(auth.dialer.auth())
            .list_users(message)
            .await,
    )
    .map(drop)
}
