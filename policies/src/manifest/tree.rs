//! YAML text as a tree of nodes that know their places. Bounded; anchors, merges and tags are refused.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{DuplicateKeyPolicy, Location, MergeKeyPolicy, NonFiniteFloatPolicy, Spanned};

use crate::diagnostic::{Diagnostics, Place};

/// Bytes of one file at the most.
const FILE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Documents, nodes and depth of one file at the most.
const DOCUMENTS_MAX: usize = 10_000;
const NODES_MAX: usize = 400_000;
const DEPTH_MAX: usize = 32;

/// A node and where it begins.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) kind: Kind,
}

/// What a node is. Scalars keep the text that stands in the file: what it means is for its reader to say.
#[derive(Debug)]
pub(super) enum Kind {
    Null,
    Scalar(String),
    Sequence(Vec<Node>),
    Mapping(Vec<(Key, Node)>),
}

/// A mapping's key.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) place: Place,
    pub(super) text: String,
}

/// The documents of one file. One that is not YAML gives an error and nothing.
pub(super) fn documents(file: u32, text: &str, diagnostics: &mut Diagnostics<'_>) -> Vec<Node> {
    if text.len() > FILE_BYTES_MAX {
        let message = format!("the file has {} bytes; at most {FILE_BYTES_MAX} are read", text.len());
        diagnostics.error(Place { file, line: 1, column: 1 }, message);
        return Vec::new();
    }
    match serde_saphyr::from_multiple_with_options::<Spanned<Raw>>(text, options()) {
        Ok(raw) => raw.into_iter().map(|raw| node(file, text, raw)).collect(),
        Err(error) => {
            let place = error.location().map_or(Place { file, line: 1, column: 1 }, |at| place(file, at));
            diagnostics.error(place, first_line(&error.to_string()));
            Vec::new()
        }
    }
}

fn options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_documents: DOCUMENTS_MAX,
            max_nodes: NODES_MAX,
            max_depth: DEPTH_MAX,
            max_anchors: 0,
            max_aliases: 0,
        },
        // Duplicates are told by whoever reads the mapping, beside all else that is wrong.
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        merge_keys: MergeKeyPolicy::Error,
        non_finite_float_policy: NonFiniteFloatPolicy::AsString,
        reject_unsupported_tags: true,
        strict_booleans: true,
        with_snippet: false,
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

fn place(file: u32, at: Location) -> Place {
    let number = |number: u64| u32::try_from(number).unwrap_or(u32::MAX).max(1);
    Place { file, line: number(at.line()), column: number(at.column()) }
}

/// Nodes as they come from the parser: scalars that it has read as numbers or truths are without their text.
enum Raw {
    Null,
    Text(String),
    /// Its text is what stands in the file.
    Plain,
    Sequence(Vec<Spanned<Raw>>),
    Mapping(Vec<(Spanned<String>, Spanned<Raw>)>),
}

fn node(file: u32, text: &str, raw: Spanned<Raw>) -> Node {
    let at = raw.referenced;
    let kind = match raw.value {
        Raw::Null => Kind::Null,
        Raw::Text(text) => Kind::Scalar(text),
        Raw::Plain => Kind::Scalar(slice(text, at).unwrap_or_default().trim().to_owned()),
        Raw::Sequence(items) => {
            Kind::Sequence(items.into_iter().map(|item| node(file, text, item)).collect())
        }
        Raw::Mapping(entries) => Kind::Mapping(
            entries
                .into_iter()
                .map(|(key, value)| {
                    let key = Key { place: place(file, key.referenced), text: key.value };
                    (key, node(file, text, value))
                })
                .collect(),
        ),
    };
    Node { place: place(file, at), kind }
}

fn slice(text: &str, at: Location) -> Option<&str> {
    let start = usize::try_from(at.span().byte_offset()?).ok()?;
    let length = usize::try_from(at.span().byte_len()?).ok()?;
    text.get(start..start.checked_add(length)?)
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a scalar, a list or a mapping")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Raw, E> {
        Ok(Raw::Plain)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Raw, E> {
        Ok(Raw::Plain)
    }

    fn visit_i128<E>(self, _: i128) -> Result<Raw, E> {
        Ok(Raw::Plain)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Raw, E> {
        Ok(Raw::Plain)
    }

    fn visit_u128<E>(self, _: u128) -> Result<Raw, E> {
        Ok(Raw::Plain)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Raw, E> {
        Ok(Raw::Plain)
    }

    fn visit_str<E>(self, text: &str) -> Result<Raw, E> {
        Ok(Raw::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Raw, E> {
        Ok(Raw::Text(text))
    }

    fn visit_bytes<E: serde::de::Error>(self, _: &[u8]) -> Result<Raw, E> {
        Err(E::custom("binary values have no place here"))
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Raw, D::Error> {
        Raw::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Raw, A::Error> {
        let mut all = Vec::new();
        while let Some(item) = items.next_element()? {
            all.push(item);
        }
        Ok(Raw::Sequence(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Raw, A::Error> {
        let mut all = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            if all.len() >= NODES_MAX {
                return Err(A::Error::custom("a mapping with too many entries"));
            }
            all.push(entry);
        }
        Ok(Raw::Mapping(all))
    }
}
