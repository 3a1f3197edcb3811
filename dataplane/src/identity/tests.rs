//! Every check of a token, by tokens signed here.

use std::sync::OnceLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use aws_lc_rs::{digest, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::*;

const NOW_S: u64 = 1_800_000_000;
const GITHUB: &str = "https://token.actions.githubusercontent.com";
const GITLAB: &str = "https://gitlab.example";

/// Policy of two issuers: GitHub refuses pull requests.
struct TwoIssuers;

impl Issuers for TwoIssuers {
    fn audience<'a>(&'a self, issuer: &str) -> Option<&'a str> {
        [GITHUB, GITLAB].contains(&issuer).then_some("pangate")
    }

    fn identify(&self, issuer: &str, claims: &Value) -> Result<Identity, IdentityError> {
        if issuer == GITHUB && claims.get("event_name") == Some(&json!("pull_request")) {
            return Err(IdentityError::Refused("event_name".to_owned()));
        }
        let subject = claims.get("sub").and_then(Value::as_str).unwrap_or_default().to_owned();
        Ok(Identity {
            subject,
            requester: Default::default(),
            groups: vec!["batch".to_owned()],
            single_use: Bind::Source,
        })
    }
}

enum Signer {
    Rsa(RsaKeyPair),
    P256(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
}

impl Signer {
    fn algorithm(&self) -> Algorithm {
        match self {
            Self::Rsa(_) => Algorithm::Rs256,
            Self::P256(_) => Algorithm::Es256,
            Self::Ed(_) => Algorithm::EdDsa,
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Rsa(_) => "RS256",
            Self::P256(_) => "ES256",
            Self::Ed(_) => "EdDSA",
        }
    }

    fn key(&self, id: &str) -> VerificationKey {
        let material = match self {
            Self::Rsa(pair) => pair.public_key().as_ref().to_vec(),
            Self::P256(pair) => pair.public_key().as_ref().to_vec(),
            Self::Ed(pair) => pair.public_key().as_ref().to_vec(),
        };
        VerificationKey { id: id.to_owned(), algorithm: self.algorithm(), material }
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).unwrap();
                signature
            }
            Self::P256(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Self::Ed(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }

    /// A token with this header and these claims, whatever they say.
    fn token_of(&self, header: &str, claims: &str) -> String {
        let signed = format!("{}.{}", encode(header), encode(claims));
        format!("{signed}.{}", encode(self.sign(signed.as_bytes())))
    }

    fn token(&self, id: &str, claims: &Value) -> String {
        self.token_of(&json!({"alg": self.name(), "kid": id, "typ": "JWT"}).to_string(), &claims.to_string())
    }
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn ed() -> Signer {
    Signer::Ed(Ed25519KeyPair::generate().unwrap())
}

fn p256() -> Signer {
    Signer::P256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
}

fn rsa() -> &'static Signer {
    static PAIR: OnceLock<Signer> = OnceLock::new();
    PAIR.get_or_init(|| Signer::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).unwrap()))
}

fn keys(issuer: &str, keys: Vec<VerificationKey>) -> IssuerKeys {
    IssuerKeys { issuer: issuer.to_owned(), fetched_s: NOW_S, keys }
}

fn claims() -> Value {
    json!({
        "iss": GITHUB, "aud": "pangate", "sub": "repo:acme/settle", "jti": "j-1",
        "exp": NOW_S + 300, "nbf": NOW_S - 10, "iat": NOW_S - 10, "event_name": "push",
    })
}

fn claims_with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

fn claims_without(name: &str) -> Value {
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove(name);
    claims
}

fn check(token: &str, keys: &[IssuerKeys]) -> Result<Verified, IdentityError> {
    Verifier::new().check(token.as_bytes(), keys, &TwoIssuers, NOW_S)
}

/// What comes of a token of these claims, well signed.
fn judged(claims: &Value) -> Result<Verified, IdentityError> {
    let signer = ed();
    check(&signer.token("k", claims), &[keys(GITHUB, vec![signer.key("k")])])
}

/// What comes of a token with this header, well signed by the key "k".
fn with_header(header: &Value) -> Result<Verified, IdentityError> {
    let signer = ed();
    let token = signer.token_of(&header.to_string(), &claims().to_string());
    check(&token, &[keys(GITHUB, vec![signer.key("k")])])
}

#[track_caller]
fn assert_refused(result: Result<Verified, IdentityError>, error: IdentityError) {
    assert_eq!(result.map(|verified| verified.token_id), Err(error));
}

#[test]
fn good_tokens_of_every_algorithm_are_taken() {
    for signer in [rsa(), &p256(), &ed()] {
        let known =
            [keys(GITLAB, vec![ed().key("k")]), keys(GITHUB, vec![ed().key("other"), signer.key("k")])];
        let verified = check(&signer.token("k", &claims()), &known).unwrap();
        assert_eq!(verified.issuer, GITHUB);
        assert_eq!(verified.identity.subject, "repo:acme/settle");
        assert_eq!(verified.expires_s, NOW_S + 300);
        assert_eq!(verified.binding, Bind::Source);
        assert_eq!(serde_json::from_str::<Value>(&verified.claims_json).unwrap(), claims());
    }
}

#[test]
fn tampering_anywhere_is_noticed() {
    for signer in [rsa(), &p256(), &ed()] {
        let token = signer.token("k", &claims());
        let known = [keys(GITHUB, vec![signer.key("k")])];
        let mut parts = token.split('.');
        let (header, payload, signature) =
            (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
        let other = encode(claims_with("event_name", json!("schedule")).to_string());
        assert_refused(check(&format!("{header}.{other}.{signature}"), &known), IdentityError::Signature);
        let typed = encode(json!({"alg": signer.name(), "kid": "k"}).to_string());
        assert_refused(check(&format!("{typed}.{payload}.{signature}"), &known), IdentityError::Signature);
        let mut bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
        for at in [0, bytes.len() / 2, bytes.len() - 1] {
            bytes[at] ^= 1;
            assert_refused(
                check(&format!("{header}.{payload}.{}", encode(&bytes)), &known),
                IdentityError::Signature,
            );
            bytes[at] ^= 1;
        }
        for other in [
            "",
            &encode(&bytes[1..]),
            &encode([&bytes[..], &[0]].concat()),
            &encode([0; 64]),
            &encode([0; 9000]),
        ] {
            assert_refused(check(&format!("{header}.{payload}.{other}"), &known), IdentityError::Signature);
        }
        assert!(check(&token, &known).is_ok());
    }
}

#[test]
fn another_key_of_the_same_name_verifies_nothing() {
    for (signer, other) in [(p256(), p256()), (ed(), ed())] {
        assert_refused(
            check(&signer.token("k", &claims()), &[keys(GITHUB, vec![other.key("k")])]),
            IdentityError::Signature,
        );
    }
}

#[test]
fn another_issuers_key_verifies_nothing() {
    let (github, gitlab) = (ed(), ed());
    let known = [keys(GITHUB, vec![github.key("k")]), keys(GITLAB, vec![gitlab.key("k")])];
    assert_refused(check(&gitlab.token("k", &claims()), &known), IdentityError::Signature);
    assert!(check(&gitlab.token("k", &claims_with("iss", json!(GITLAB))), &known).is_ok());
}

#[test]
fn the_algorithm_is_the_keys_own() {
    // The classic: the public RSA key, which everybody has, taken for an HMAC secret.
    let public = rsa().key("k").material;
    for secret in [&public[..], b"", b"secret"] {
        let signed = format!(
            "{}.{}",
            encode(json!({"alg": "HS256", "kid": "k"}).to_string()),
            encode(claims().to_string())
        );
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), signed.as_bytes());
        let token = format!("{signed}.{}", encode(tag.as_ref()));
        assert_refused(check(&token, &[keys(GITHUB, vec![rsa().key("k")])]), IdentityError::Algorithm);
    }
    // A key that is there, named with another algorithm than its own.
    let signer = ed();
    for name in ["RS256", "ES256"] {
        assert_refused(with_header(&json!({"alg": name, "kid": "k"})), IdentityError::KeyAlgorithm);
    }
    let token = signer.token_of(&json!({"alg": "EdDSA", "kid": "k"}).to_string(), &claims().to_string());
    assert_refused(check(&token, &[keys(GITHUB, vec![p256().key("k")])]), IdentityError::KeyAlgorithm);
}

#[test]
fn other_algorithms_are_refused() {
    for alg in
        ["none", "None", "NONE", "", "HS256", "HS512", "RS384", "RS512", "PS256", "ES384", "rs256", "Ed25519"]
    {
        assert_refused(with_header(&json!({"alg": alg, "kid": "k"})), IdentityError::Algorithm);
    }
    for alg in [json!(null), json!(1), json!(["EdDSA"])] {
        assert_refused(with_header(&json!({"alg": alg, "kid": "k"})), IdentityError::Algorithm);
    }
    assert_refused(with_header(&json!({"kid": "k"})), IdentityError::Algorithm);
    let unsigned = format!("{}.{}.", encode(r#"{"alg":"none"}"#), encode(claims().to_string()));
    assert_refused(check(&unsigned, &[keys(GITHUB, vec![rsa().key("k")])]), IdentityError::Algorithm);
}

#[test]
fn headers_are_read_strictly() {
    assert!(
        with_header(
            &json!({"alg": "EdDSA", "kid": "k", "typ": "at+jwt", "x5t": "abc", "jwk": {"kty": "OKP"}})
        )
        .is_ok()
    );
    assert!(with_header(&json!({"alg": "EdDSA", "kid": "k", "typ": 7})).is_ok());
    for crit in [json!(["exp"]), json!([]), json!(null)] {
        assert_refused(
            with_header(&json!({"alg": "EdDSA", "kid": "k", "crit": crit})),
            IdentityError::Critical,
        );
    }
    for kid in [json!(1), json!(null), json!(["k"])] {
        assert_refused(with_header(&json!({"alg": "EdDSA", "kid": kid})), IdentityError::KeyId);
    }
    let signer = ed();
    let known = [keys(GITHUB, vec![signer.key("k")])];
    let twice = signer.token_of(r#"{"alg":"EdDSA","kid":"k","alg":"EdDSA"}"#, &claims().to_string());
    assert_refused(check(&twice, &known), IdentityError::DuplicateKey(Part::Header));
    let list = signer.token_of(r#"["EdDSA"]"#, &claims().to_string());
    assert_refused(check(&list, &known), IdentityError::Json(Part::Header));
}

#[test]
fn the_key_id_chooses_and_without_one_a_few_keys_are_tried() {
    let signer = ed();
    assert_refused(with_header(&json!({"alg": "EdDSA", "kid": "other"})), IdentityError::UnknownKey);
    assert_refused(with_header(&json!({"alg": "EdDSA", "kid": ""})), IdentityError::UnknownKey);
    let token = signer.token_of(r#"{"alg":"EdDSA"}"#, &claims().to_string());
    let others =
        |count: usize| (0..count).map(|_| ed().key("x")).chain([signer.key("k")]).collect::<Vec<_>>();
    let with = |several: Vec<VerificationKey>| check(&token, &[keys(GITHUB, several)]);
    assert!(with(others(TOKEN_KEYS_TRIED_MAX - 1)).is_ok());
    assert_refused(with(others(TOKEN_KEYS_TRIED_MAX)), IdentityError::Signature);
    // Keys for other algorithms are not tried, and do not count.
    let mixed = (0..20).map(|_| p256().key("x")).chain([signer.key("")]).collect();
    assert!(with(mixed).is_ok());
    assert_refused(with(vec![p256().key("k")]), IdentityError::UnknownKey);
    // Two keys under one id, as while an issuer rotates.
    let token = signer.token("k", &claims());
    assert!(check(&token, &[keys(GITHUB, vec![ed().key("k"), p256().key("k"), signer.key("k")])]).is_ok());
}

#[test]
fn issuers_are_compared_byte_for_byte() {
    let slash = format!("{GITHUB}/");
    for issuer in [slash.as_str(), "https://TOKEN.actions.githubusercontent.com", "https://evil.example"] {
        assert_refused(judged(&claims_with("iss", json!(issuer))), IdentityError::UnknownIssuer);
    }
    assert_refused(judged(&claims_with("iss", json!([GITHUB]))), IdentityError::ClaimForm("iss"));
    assert_refused(judged(&claims_without("iss")), IdentityError::ClaimMissing("iss"));
    let token = ed().token("k", &claims());
    assert_refused(check(&token, &[]), IdentityError::NoKeys);
    assert_refused(check(&token, &[keys(GITLAB, vec![ed().key("k")])]), IdentityError::NoKeys);
    assert_refused(check(&token, &[keys(GITHUB, Vec::new())]), IdentityError::NoKeys);
}

#[test]
fn audiences_are_checked() {
    assert!(judged(&claims_with("aud", json!(["sts", "pangate"]))).is_ok());
    for other in [json!("sts"), json!(["sts"]), json!([])] {
        assert_refused(judged(&claims_with("aud", other)), IdentityError::Audience);
    }
    assert_refused(judged(&claims_with("aud", json!(7))), IdentityError::ClaimForm("aud"));
    assert_refused(judged(&claims_without("aud")), IdentityError::ClaimMissing("aud"));
}

#[test]
fn times_are_checked_to_the_second() {
    let ok = |name: &str, at: u64| assert!(judged(&claims_with(name, json!(at))).is_ok(), "{name} {at}");
    let no = |name: &str, at: u64, error| assert_refused(judged(&claims_with(name, json!(at))), error);
    ok("exp", NOW_S + 1);
    no("exp", NOW_S, IdentityError::Expired);
    no("exp", 0, IdentityError::Expired);
    ok("exp", NOW_S + TOKEN_LIFETIME_S_MAX);
    no("exp", NOW_S + TOKEN_LIFETIME_S_MAX + 1, IdentityError::LivesTooLong);
    no("exp", u64::MAX, IdentityError::LivesTooLong);
    ok("nbf", NOW_S + TOKEN_LEEWAY_S);
    no("nbf", NOW_S + TOKEN_LEEWAY_S + 1, IdentityError::NotYetValid);
    ok("iat", NOW_S + TOKEN_LEEWAY_S);
    no("iat", NOW_S + TOKEN_LEEWAY_S + 1, IdentityError::IssuedInFuture);
    assert!(judged(&claims_without("nbf")).is_ok() && judged(&claims_without("iat")).is_ok());
    assert_refused(judged(&claims_without("exp")), IdentityError::ClaimMissing("exp"));
    for name in ["exp", "nbf", "iat"] {
        assert_refused(judged(&claims_with(name, json!("1800000300"))), IdentityError::ClaimForm(name));
    }
}

#[test]
fn subjects_and_ids_are_plain_texts() {
    assert_refused(judged(&claims_without("sub")), IdentityError::ClaimMissing("sub"));
    assert_refused(judged(&claims_with("sub", json!("a\u{0}b"))), IdentityError::ClaimForm("sub"));
    assert_refused(judged(&claims_with("jti", json!(""))), IdentityError::ClaimForm("jti"));
    assert_refused(judged(&claims_with("jti", json!(7))), IdentityError::ClaimForm("jti"));
}

#[test]
fn policy_has_the_last_word() {
    let refused = judged(&claims_with("event_name", json!("pull_request")));
    assert_refused(refused, IdentityError::Refused("event_name".to_owned()));
}

#[test]
fn forms_other_than_the_compact_one_are_refused() {
    let signer = ed();
    let known = [keys(GITHUB, vec![signer.key("k")])];
    let token = signer.token("k", &claims());
    assert_refused(check("", &known), IdentityError::Missing);
    for form in [
        "x",
        ".",
        "a.b",
        &format!("{token}."),
        &format!(".{token}"),
        &format!("{token}.a.b"),
        "{\"payload\":1}",
    ] {
        assert_refused(check(form, &known), IdentityError::NotCompact);
    }
    assert_refused(check("..", &known), IdentityError::Json(Part::Header));
    assert_refused(check(&format!(" {token}"), &known), IdentityError::Encoding(Part::Header));
    assert_refused(check(&format!("Bearer {token}"), &known), IdentityError::Encoding(Part::Header));
    for end in ["\n", " ", "=", "\0", "é"] {
        assert_refused(check(&format!("{token}{end}"), &known), IdentityError::Encoding(Part::Signature));
    }
    assert_refused(check(&token.replacen('.', ".\n", 1), &known), IdentityError::Encoding(Part::Payload));
    let twice =
        signer.token_of(r#"{"alg":"EdDSA"}"#, &claims().to_string().replacen('{', "{\"sub\":\"root\",", 1));
    assert_refused(check(&twice, &known), IdentityError::DuplicateKey(Part::Payload));
    let nested = signer.token_of(r#"{"alg":"EdDSA","cty":"JWT"}"#, &token);
    assert_refused(check(&nested, &known), IdentityError::Json(Part::Payload));
}

#[test]
fn a_token_has_a_largest_size() {
    let signer = ed();
    let known = [keys(GITHUB, vec![signer.key("k")])];
    let with_padding = |count: usize| signer.token("k", &claims_with("padding", json!("x".repeat(count))));
    let spare = (TOKEN_BYTES_MAX - with_padding(0).len()) / 4 * 3;
    let largest = with_padding(spare - 3);
    assert!(TOKEN_BYTES_MAX - largest.len() < 16);
    assert!(check(&largest, &known).is_ok());
    assert_refused(check(&with_padding(spare + 15), &known), IdentityError::TooLong);
    assert_refused(check(&".".repeat(10_000_000), &known), IdentityError::TooLong);
}

#[test]
fn the_ledgers_name_follows_issuer_and_id_or_else_what_was_signed() {
    let signer = p256();
    let known = [keys(GITHUB, vec![signer.key("k")]), keys(GITLAB, vec![signer.key("k")])];
    let id = |claims: &Value| check(&signer.token("k", claims), &known).unwrap().token_id;
    assert_eq!(id(&claims()), id(&claims_with("exp", json!(NOW_S + 5))), "the same jti is the same token");
    assert_ne!(id(&claims()), id(&claims_with("jti", json!("j-2"))));
    assert_ne!(id(&claims()), id(&claims_with("iss", json!(GITLAB))));
    let nameless = claims_without("jti");
    // Every ECDSA signature is another one: the signature is no part of the name.
    let (one, two) = (signer.token("k", &nameless), signer.token("k", &nameless));
    assert_ne!(one, two);
    assert_eq!(check(&one, &known).unwrap().token_id, check(&two, &known).unwrap().token_id);
    let mut later = nameless;
    later["iat"] = json!(NOW_S);
    assert_ne!(id(&later), check(&one, &known).unwrap().token_id);
}

#[test]
fn a_remembered_token_is_judged_anew() {
    let signer = ed();
    let token = signer.token("k", &claims());
    let known = [keys(GITHUB, vec![signer.key("k")])];
    let mut verifier = Verifier::new();
    let mut check = |keys: &[IssuerKeys], now_s| verifier.check(token.as_bytes(), keys, &TwoIssuers, now_s);
    assert!(check(&known, NOW_S).is_ok());
    assert!(check(&known, NOW_S + 299).is_ok());
    assert_refused(check(&known, NOW_S + 300), IdentityError::Expired);
    assert_refused(check(&[keys(GITHUB, vec![ed().key("k")])], NOW_S), IdentityError::Signature);
    assert_refused(check(&[], NOW_S), IdentityError::NoKeys);
    assert!(check(&known, NOW_S).is_ok());

    struct NobodyIsKnown;
    impl Issuers for NobodyIsKnown {
        fn audience<'a>(&'a self, _: &str) -> Option<&'a str> {
            None
        }
        fn identify(&self, _: &str, _: &Value) -> Result<Identity, IdentityError> {
            unreachable!("no issuer is known")
        }
    }
    assert_refused(
        verifier.check(token.as_bytes(), &known, &NobodyIsKnown, NOW_S),
        IdentityError::UnknownIssuer,
    );
}

#[test]
fn only_verified_tokens_are_remembered_and_they_need_no_second_verification() {
    let signer = ed();
    let token = signer.token("k", &claims());
    let known = [keys(GITHUB, vec![signer.key("k")])];
    let hash =
        |token: &str| -> [u8; 32] { digest::digest(&SHA256, token.as_bytes()).as_ref().try_into().unwrap() };
    let mut verifier = Verifier::new();
    assert!(verifier.check(token.as_bytes(), &[], &TwoIssuers, NOW_S).is_err());
    assert!(verifier.check(token.as_bytes(), &known, &TwoIssuers, NOW_S + 300).is_err());
    assert!(verifier.cache.find(&hash(&token)).is_none());
    verifier.check(token.as_bytes(), &known, &TwoIssuers, NOW_S).unwrap();
    assert!(verifier.cache.find(&hash(&token)).is_some());
    // What was remembered is what is judged: a token that could never verify, put there by hand.
    let proven = Proven {
        issuer: GITHUB.to_owned(),
        key: signer.key("k"),
        claims: claims_with("sub", json!("remembered")),
        token_id: [7; 32],
    };
    verifier.cache.put(hash("no token"), proven);
    let verified = verifier.check(b"no token", &known, &TwoIssuers, NOW_S).unwrap();
    assert_eq!((verified.identity.subject.as_str(), verified.token_id), ("remembered", [7; 32]));
}

#[test]
fn a_snapshots_issuers_are_the_ones_that_count() {
    let manifest = format!(
        "kind: Issuer\nname: github\nurl: {GITHUB}\naudience: pangate\nrequester: actor\n\
         groups: [{{group: settlement, when: {{ref: refs/heads/main}}}}]\n\
         refuse: [{{event_name: pull_request}}]\nbind: {{jti: source}}\n"
    );
    let manifests = policies::manifest::read(&[("issuers.yaml", manifest.as_str())]).unwrap();
    let compiled = policies::compile::compile(&manifests, 1, 3600).unwrap();
    let snapshot = Snapshot::open(&compiled.snapshot).unwrap();
    let signer = ed();
    let known = [keys(GITHUB, vec![signer.key("k")]), keys(GITLAB, vec![signer.key("k")])];
    let mut claims = claims_with("ref", json!("refs/heads/main"));
    claims["actor"] = json!("dana");
    let check = |claims: &Value| {
        Verifier::new().verify(signer.token("k", claims).as_bytes(), &known, &snapshot, NOW_S)
    };
    let verified = check(&claims).unwrap();
    assert_eq!(verified.identity.groups, ["settlement"]);
    assert_eq!(verified.identity.requester, "dana");
    assert_eq!(verified.binding, Bind::Source);
    claims["event_name"] = json!("pull_request");
    assert!(matches!(check(&claims), Err(IdentityError::Refused(reason)) if reason.contains("event_name")));
    claims["aud"] = json!("sts");
    assert_refused(check(&claims), IdentityError::Audience);
    claims["iss"] = json!(GITLAB);
    assert_refused(check(&claims), IdentityError::UnknownIssuer);
}

#[test]
fn errors_say_nothing_of_the_token() {
    let secret = "hunter2";
    let signer = ed();
    let known = [keys(GITHUB, vec![signer.key("k")])];
    let mut errors = vec![
        check(secret, &known).unwrap_err(),
        check(&format!("{secret}.{secret}.{secret}"), &known).unwrap_err(),
        with_header(&json!({"alg": secret})).unwrap_err(),
        with_header(&json!({"alg": "EdDSA", "kid": secret})).unwrap_err(),
        check(&signer.token_of(&format!("{{\"{secret}\":1,\"{secret}\":1}}"), "{}"), &known).unwrap_err(),
    ];
    for name in ["iss", "aud", "exp", "nbf", "iat", "sub", "jti"] {
        errors.extend(judged(&claims_with(name, json!(secret))).err());
        errors.extend(judged(&claims_with(name, json!({ secret: secret }))).err());
    }
    assert!(errors.len() > 15);
    for error in errors {
        assert!(!format!("{error} {error:?}").contains(secret), "{error:?}");
        assert!(error.to_string().starts_with("the "), "{error}");
    }
}
