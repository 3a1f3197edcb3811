//! What a token's claims mean: groups, the person behind the job, and what is refused. Signature, audience and times are
//! checked elsewhere, before.
//!
//! A claim is named by its name, or by a JSON Pointer (RFC 6901) where it lies deeper: `/kubernetes.io/namespace`.
//! Strings, numbers and booleans compare by their text; an array meets a condition where one of its members does.

use serde_json::Value;

pub use crate::model::Bind;
use crate::model::{ArchivedCondition, ArchivedGroupSource, ArchivedIssuer, deserialized};

/// Groups of one identity at the most.
pub const GROUPS_MAX: usize = 1024;
/// Bytes of a subject, requester or group at the most.
pub const NAME_BYTES_MAX: usize = 1024;

/// Who a job is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The `sub` claim.
    pub subject: String,
    /// The person behind the job, who may not approve: the subject, where the token lacks the claim; empty where the
    /// issuer names no claim.
    pub requester: String,
    /// Sorted, each once.
    pub groups: Vec<String>,
    /// How often the token may open a session.
    pub single_use: Bind,
}

/// A token that is good, but that this issuer's manifest refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Refused {
    /// Which claim, and why; nothing of the token's own values.
    pub reason: String,
}

impl Refused {
    fn because(reason: impl Into<String>) -> Self {
        Self { reason: reason.into() }
    }
}

pub(crate) fn identify(issuer: &ArchivedIssuer, claims: &Value) -> Result<Identity, Refused> {
    if claims.get("iss").and_then(Value::as_str) != Some(issuer.url.as_str()) {
        return Err(Refused::because("the token is of another issuer"));
    }
    for conditions in issuer.refuse.iter() {
        if !conditions.is_empty() && conditions.iter().all(|condition| meets(claims, condition)) {
            let named: Vec<_> = conditions.iter().map(|condition| condition.claim.as_str()).collect();
            return Err(Refused::because(format!(
                "the issuer's manifest refuses tokens by claim {}",
                named.join(", ")
            )));
        }
    }
    let bind = deserialized(&issuer.bind);
    if bind != Bind::None && named(claims, "jti").is_none_or(|jti| jti.is_empty()) {
        return Err(Refused::because("claim jti, by which the token is bound, is missing"));
    }
    let subject = name(claims, "sub")?;
    // A token that names nobody (a person's own, a scheduled run's) stands for its subject alone. One that names
    // something that is no name is refused.
    let requester = match issuer.requester.as_ref() {
        None => String::new(),
        Some(claim) if find(claims, claim).is_none_or(Value::is_null) => subject.clone(),
        Some(claim) => name(claims, claim)?,
    };
    Ok(Identity { subject, requester, groups: groups(issuer, claims)?, single_use: bind })
}

fn groups(issuer: &ArchivedIssuer, claims: &Value) -> Result<Vec<String>, Refused> {
    let mut groups = Vec::new();
    for source in issuer.groups.iter() {
        match source {
            ArchivedGroupSource::When(group, conditions) => {
                if conditions.iter().all(|condition| meets(claims, condition)) {
                    groups.push(group.as_str().to_owned());
                }
            }
            ArchivedGroupSource::FromClaim(claim) => match find(claims, claim) {
                Some(Value::Array(members)) => groups.extend(members.iter().filter_map(text)),
                Some(value) => groups.extend(text(value)),
                None => {}
            },
        }
        if groups.len() > GROUPS_MAX {
            return Err(Refused::because(format!("the token has over {GROUPS_MAX} groups")));
        }
    }
    if groups.iter().any(|group| group.len() > NAME_BYTES_MAX) {
        return Err(Refused::because(format!("a group has over {NAME_BYTES_MAX} bytes")));
    }
    groups.retain(|group| !group.is_empty());
    groups.sort_unstable();
    groups.dedup();
    Ok(groups)
}

fn meets(claims: &Value, condition: &ArchivedCondition) -> bool {
    let is_one = |value: &Value| {
        text(value).is_some_and(|text| condition.values.iter().any(|wanted| wanted.as_str() == text))
    };
    match find(claims, &condition.claim) {
        Some(Value::Array(members)) => members.iter().any(is_one),
        Some(value) => is_one(value),
        None => false,
    }
}

/// A claim that must name someone.
fn name(claims: &Value, claim: &str) -> Result<String, Refused> {
    match named(claims, claim) {
        Some(name) if name.len() > NAME_BYTES_MAX => {
            Err(Refused::because(format!("claim {claim} has over {NAME_BYTES_MAX} bytes")))
        }
        Some(name) if !name.trim().is_empty() => Ok(name),
        _ => Err(Refused::because(format!("claim {claim} is missing"))),
    }
}

fn named(claims: &Value, claim: &str) -> Option<String> {
    find(claims, claim).and_then(text)
}

fn find<'a>(claims: &'a Value, claim: &str) -> Option<&'a Value> {
    if claim.starts_with('/') { claims.pointer(claim) } else { claims.get(claim) }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::{Condition, GroupSource, Issuer};

    fn condition(claim: &str, values: &[&str]) -> Condition {
        Condition { claim: claim.into(), values: values.iter().map(|&value| value.into()).collect() }
    }

    fn issuer() -> Issuer {
        Issuer {
            name: "github".into(),
            url: "https://issuer".into(),
            audience: "pangate".into(),
            requester: Some("actor".into()),
            groups: vec![
                GroupSource::When(
                    "settlement".into(),
                    vec![condition("repository_id", &["4711"]), condition("ref", &["refs/heads/main", "v1"])],
                ),
                GroupSource::When("cluster".into(), vec![condition("/kubernetes.io/namespace", &["cde"])]),
                GroupSource::FromClaim("groups".into()),
            ],
            refuse: vec![
                vec![condition("event_name", &["pull_request"])],
                vec![condition("fork", &["true"]), condition("trusted", &["false"])],
            ],
            bind: Bind::Source,
        }
    }

    fn run(issuer: &Issuer, claims: &Value) -> Result<Identity, String> {
        let bytes = rkyv::to_bytes::<rkyv::rancor::Error>(issuer).unwrap();
        let archived = rkyv::access::<ArchivedIssuer, rkyv::rancor::Error>(&bytes).unwrap();
        identify(archived, claims).map_err(|refused| refused.reason)
    }

    fn claims() -> Value {
        json!({
            "iss": "https://issuer", "sub": "repo:a/b", "actor": "alice", "jti": "1", "repository_id": 4711,
            "ref": "refs/heads/main", "groups": ["b", "a", "a", "", null, 7, true, ["x"]],
            "kubernetes.io": {"namespace": "dev"}, "fork": true, "trusted": true,
        })
    }

    fn with(name: &str, value: Value) -> Value {
        let mut claims = claims();
        claims[name] = value;
        claims
    }

    #[test]
    fn claims_become_an_identity() {
        let identity = run(&issuer(), &claims()).unwrap();
        assert_eq!(identity.subject, "repo:a/b");
        assert_eq!(identity.requester, "alice");
        assert_eq!(identity.groups, ["7", "a", "b", "settlement", "true"]);
        assert_eq!(identity.single_use, Bind::Source);
    }

    #[test]
    fn every_condition_must_be_met_by_one_of_its_values() {
        let groups = |claims: &Value| run(&issuer(), claims).unwrap().groups;
        let has = |claims: &Value| groups(claims).contains(&"settlement".to_owned());
        assert!(has(&with("ref", json!("v1"))));
        assert!(has(&with("ref", json!(["other", "v1"]))));
        assert!(has(&with("repository_id", json!("4711"))));
        assert!(!has(&with("ref", json!("refs/heads/main2"))));
        assert!(!has(&with("ref", json!("REFS/HEADS/MAIN"))));
        assert!(!has(&with("repository_id", json!(47110))));
        assert!(!has(&with("repository_id", Value::Null)));
        assert!(!has(&with("repository_id", json!({"4711": "4711"}))));
        assert!(groups(&with("kubernetes.io", json!({"namespace": "cde"}))).contains(&"cluster".to_owned()));
    }

    #[test]
    fn groups_come_from_a_single_string_too() {
        let identity = run(&issuer(), &with("groups", json!("only"))).unwrap();
        assert_eq!(identity.groups, ["only", "settlement"]);
    }

    #[test]
    fn refuses_what_the_manifest_refuses_and_says_nothing_of_the_token() {
        let refused = run(&issuer(), &with("event_name", json!("pull_request"))).unwrap_err();
        assert_eq!(refused, "the issuer's manifest refuses tokens by claim event_name");
        let refused = run(&issuer(), &with("trusted", json!(false))).unwrap_err();
        assert_eq!(refused, "the issuer's manifest refuses tokens by claim fork, trusted");
        assert!(run(&issuer(), &with("event_name", json!("push"))).is_ok());
    }

    #[test]
    fn refuses_a_token_that_lacks_what_it_must_have() {
        for (claim, value, reason) in [
            ("iss", json!("https://other"), "the token is of another issuer"),
            ("sub", Value::Null, "claim sub is missing"),
            ("sub", json!(" "), "claim sub is missing"),
            ("actor", json!(""), "claim actor is missing"),
            ("actor", json!(["alice"]), "claim actor is missing"),
            ("actor", json!("a".repeat(1025)), "claim actor has over 1024 bytes"),
            ("jti", json!(""), "claim jti, by which the token is bound, is missing"),
            ("groups", json!(["a".repeat(1025)]), "a group has over 1024 bytes"),
            ("groups", json!((0..1025).collect::<Vec<_>>()), "the token has over 1024 groups"),
        ] {
            assert_eq!(run(&issuer(), &with(claim, value)).unwrap_err(), reason);
        }
        assert_eq!(run(&issuer(), &json!("text")).unwrap_err(), "the token is of another issuer");
    }

    #[test]
    fn asks_only_for_what_the_manifest_asks_for() {
        let plain = Issuer { requester: None, bind: Bind::None, ..issuer() };
        let identity = run(&plain, &json!({"iss": "https://issuer", "sub": "job"})).unwrap();
        assert_eq!(identity.requester, "");
        assert!(identity.groups.is_empty());
        let unnamed = run(&issuer(), &with("actor", Value::Null)).unwrap();
        assert_eq!(unnamed.requester, unnamed.subject, "nobody else is behind it");
    }
}
