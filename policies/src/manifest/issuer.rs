//! `kind: Issuer`: whose tokens are taken, and what their claims mean.

use std::collections::BTreeMap;

use schemars::JsonSchema;

use super::reader::{Fields, kind, name, text, word};
use super::schema;
use super::tree::{Kind, Node};
use crate::diagnostic::{At, Diagnostics};
use crate::model::Bind;

/// Whose tokens are taken, and what their claims mean.
#[derive(Debug, JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Issuer {
    /// Its name in these manifests.
    #[schemars(with = "schema::Name")]
    pub(crate) name: At<String>,
    /// The `iss` of its tokens, to the letter; discovery starts there.
    #[schemars(with = "schema::Url")]
    pub(crate) url: At<String>,
    /// The `aud` that its tokens must have.
    pub(crate) audience: At<String>,
    /// The claim that names the person behind the job: that person may not approve it. A token without it stands for its
    /// subject alone.
    pub(crate) requester: Option<At<String>>,
    /// Which groups a token is of.
    pub(crate) groups: Vec<GroupSource>,
    /// A token that meets every condition of one of these is refused.
    #[schemars(default)]
    pub(crate) refuse: Vec<At<Conditions>>,
    /// How often a token may open a session.
    #[schemars(with = "Option<schema::BindByJti>")]
    pub(crate) bind: Option<At<Bind>>,
}

/// Where groups come from.
#[derive(Debug, JsonSchema)]
#[schemars(untagged, rename_all_fields = "camelCase", deny_unknown_fields)]
pub(crate) enum GroupSource {
    /// This group, where every condition is met.
    When {
        /// The group's name.
        group: At<String>,
        /// The conditions.
        when: At<Conditions>,
    },
    /// Whatever groups this claim names: a text, or a list of texts.
    FromClaim {
        /// The claim's name, or a JSON Pointer.
        from_claim: At<String>,
    },
}

/// Claims, and the values that each may have. A claim is named by its name, or by a JSON Pointer (`/a/b`).
#[derive(Debug, Default)]
pub(crate) struct Conditions(pub(crate) BTreeMap<String, Vec<String>>);

pub(super) fn read(name: At<String>, mut fields: Fields<'_>, out: &mut Diagnostics<'_>) -> Option<Issuer> {
    let url = fields.required("url", text, out);
    let audience = fields.required("audience", text, out);
    let requester = fields.optional("requester", text, out);
    let groups = fields.required_list("groups", group_source, out);
    let refuse = fields.list("refuse", conditions, out);
    let bind = fields.optional("bind", bind, out);
    fields.close(out);
    Some(Issuer { name, url: url?, audience: audience?, requester, groups, refuse, bind })
}

fn group_source(node: &Node, out: &mut Diagnostics<'_>) -> Option<GroupSource> {
    let mut fields = Fields::open(node, "a source of groups", out)?;
    let source = if fields.has("fromClaim") {
        let from_claim = fields.required("fromClaim", text, out);
        from_claim.map(|from_claim| GroupSource::FromClaim { from_claim })
    } else {
        let group = fields.required("group", text, out);
        let when = fields.required("when", conditions, out);
        group.zip(when).map(|(group, when)| GroupSource::When { group, when })
    };
    fields.close(out);
    source
}

fn conditions(node: &Node, out: &mut Diagnostics<'_>) -> Option<At<Conditions>> {
    // Opened for what is wrong with its keys; they are claims, and any are known.
    Fields::open(node, "a set of conditions", out)?;
    let Kind::Mapping(entries) = &node.kind else { return None };
    if entries.is_empty() {
        out.error(node.place, "a set of conditions without a condition is met by every token");
        return None;
    }
    let mut conditions = Conditions::default();
    for (claim, node) in entries {
        if claim.text.trim().is_empty() {
            out.error(claim.place, "a claim without a name");
        }
        if let Some(values) = values(node, out) {
            conditions.0.insert(claim.text.clone(), values);
        }
    }
    Some(At { value: conditions, place: node.place })
}

/// The values of which a claim must have one.
fn values(node: &Node, out: &mut Diagnostics<'_>) -> Option<Vec<String>> {
    match &node.kind {
        Kind::Scalar(text) => Some(vec![text.clone()]),
        Kind::Sequence(items) if !items.is_empty() => items
            .iter()
            .map(|item| match &item.kind {
                Kind::Scalar(text) => Some(text.clone()),
                _ => {
                    out.error(
                        item.place,
                        format!("a claim's value is a single value; this is {}", kind(item)),
                    );
                    None
                }
            })
            .collect(),
        _ => {
            let message = format!("a claim has a single value or a list of them; this is {}", kind(node));
            out.error(node.place, message);
            None
        }
    }
}

fn bind(node: &Node, out: &mut Diagnostics<'_>) -> Option<At<Bind>> {
    const WORDS: [(&str, Bind); 2] = [("source", Bind::Source), ("once", Bind::Session)];
    let mut fields = Fields::open(node, "`bind`", out)?;
    let bind = fields.required("jti", |node, out| word(node, &WORDS, out), out);
    fields.close(out);
    bind
}

/// For readers of names elsewhere: a group's name is free text, since identity providers have their own.
pub(super) fn group(node: &Node, out: &mut Diagnostics<'_>) -> Option<At<String>> {
    text(node, out)
}

/// A name of ours that is referred to.
pub(super) fn reference(node: &Node, out: &mut Diagnostics<'_>) -> Option<At<String>> {
    name(node, out)
}
