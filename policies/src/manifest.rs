//! What an operator writes: issuers, targets and policies, as YAML documents. Reading tells everything that is wrong, with
//! its place; whether names meet and values make sense together is for `compile.rs`, which reading asks too, so that an
//! operator sees all errors at once.

mod issuer;
mod policy;
mod reader;
mod schema;
mod target;
mod tree;

use std::collections::BTreeMap;

pub(crate) use issuer::{Conditions, GroupSource, Issuer};
pub(crate) use policy::{Approval, Decide, Grant, Policy, Responses, Rule};
pub use schema::schema;
pub(crate) use target::{Data, ListenTls, Negotiation, Oauth, Target, Tls, TlsMode};

use crate::diagnostic::{At, Diagnostics, Place};
pub use crate::diagnostic::{Diagnostic, Severity};
use reader::{Fields, word};
use tree::Node;

/// The three kinds of manifests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Issuer,
    Target,
    Policy,
}

impl Kind {
    const WORDS: [(&'static str, Self); 3] =
        [("Issuer", Self::Issuer), ("Target", Self::Target), ("Policy", Self::Policy)];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Issuer => "issuer",
            Self::Target => "target",
            Self::Policy => "policy",
        }
    }
}

/// Manifests that read well.
#[derive(Debug, Default)]
pub struct Manifests {
    pub(crate) files: Vec<String>,
    pub(crate) issuers: Vec<Issuer>,
    pub(crate) targets: Vec<Target>,
    pub(crate) policies: Vec<Policy>,
    /// Every name that a document gives itself, and where, though the rest of it may be wrong.
    pub(crate) names: BTreeMap<(Kind, String), Vec<Place>>,
}

impl Manifests {
    /// How many issuers, targets and policies there are.
    #[must_use]
    pub const fn counts(&self) -> (usize, usize, usize) {
        (self.issuers.len(), self.targets.len(), self.policies.len())
    }
}

/// Reads manifests: names and texts of files. All errors of all files at once, in their order.
pub fn read<N: AsRef<str>, T: AsRef<str>>(files: &[(N, T)]) -> Result<Manifests, Vec<Diagnostic>> {
    let names: Vec<String> = files.iter().map(|(name, _)| name.as_ref().to_owned()).collect();
    let mut manifests = Manifests::default();
    let mut out = Diagnostics::new(&names);
    for (index, (_, text)) in files.iter().enumerate() {
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        for document in tree::documents(index, text.as_ref(), &mut out) {
            manifests.add(&document, &mut out);
        }
    }
    let unread = out.has_errors();
    if unread {
        crate::compile::check(&manifests, &mut out);
        return Err(out.sorted().0);
    }
    manifests.files = names;
    Ok(manifests)
}

impl Manifests {
    fn add(&mut self, document: &Node, out: &mut Diagnostics<'_>) {
        let Some(mut fields) = Fields::open(document, "a manifest", out) else { return };
        let kind = fields.required("kind", |node, out| word(node, &Kind::WORDS, out), out);
        let Some(At { value: kind, .. }) = kind else { return };
        fields.call_it(match kind {
            Kind::Issuer => "an Issuer",
            Kind::Target => "a Target",
            Kind::Policy => "a Policy",
        });
        if let Some(name) = fields.required("name", reader::name, out) {
            self.names.entry((kind, name.value.clone())).or_default().push(name.place);
            match kind {
                Kind::Issuer => self.issuers.extend(issuer::read(name, fields, out)),
                Kind::Target => self.targets.extend(target::read(name, fields, out)),
                Kind::Policy => self.policies.extend(policy::read(name, fields, out)),
            }
        } else {
            // Read for what else is wrong in it.
            let nameless = At { value: String::new(), place: document.place };
            match kind {
                Kind::Issuer => drop(issuer::read(nameless, fields, out)),
                Kind::Target => drop(target::read(nameless, fields, out)),
                Kind::Policy => drop(policy::read(nameless, fields, out)),
            }
        }
    }
}

#[cfg(test)]
mod tests;
