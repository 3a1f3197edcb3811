//! The manifests' JSON Schema, for editors. Derived from the types that reading gives; what JSON Schema says best by
//! itself (patterns, one word or a mapping) stands here.

use std::borrow::Cow;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use super::{Conditions, Issuer, Policy, Target};
use crate::diagnostic::At;

/// The JSON Schema (draft 2020-12) of one manifest document.
#[must_use]
pub fn schema() -> Value {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    generator.subschema_for::<Issuer>();
    generator.subschema_for::<Target>();
    generator.subschema_for::<Policy>();
    let mut definitions = generator.take_definitions(true);
    let kinds = ["Issuer", "Target", "Policy"];
    for kind in kinds {
        let Some(Value::Object(definition)) = definitions.get_mut(kind) else { continue };
        if let Some(Value::Object(properties)) = definition.get_mut("properties") {
            properties.insert("kind".to_owned(), json!({ "const": kind }));
        }
        if let Some(Value::Array(required)) = definition.get_mut("required") {
            required.insert(0, json!("kind"));
        }
    }
    definitions.values_mut().for_each(tighten);
    let one_of: Vec<Value> = kinds.iter().map(|kind| json!({ "$ref": format!("#/$defs/{kind}") })).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "pangate manifest",
        "description": "One document of a manifest file: an issuer of tokens, a target, or a policy.",
        "oneOf": one_of,
        "$defs": definitions,
    })
}

/// What may be absent may not be null, and a list that is there is not empty: reading says so too.
fn tighten(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(tighten),
        Value::Object(schema) => {
            if let Some(Value::Array(types)) = schema.get_mut("type") {
                types.retain(|name| name != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    schema.insert("type".to_owned(), only);
                }
            }
            if let Some(Value::Array(any)) = schema.get_mut("anyOf") {
                any.retain(|one| *one != json!({ "type": "null" }));
                if let [Value::Object(only)] = any.as_slice() {
                    let only = only.clone();
                    schema.remove("anyOf");
                    schema.extend(only);
                }
            }
            if schema.get("type") == Some(&json!("array")) {
                schema.insert("minItems".to_owned(), json!(1));
                schema.remove("default");
            }
            schema.values_mut().for_each(tighten);
        }
        _ => {}
    }
}

impl<T: JsonSchema> JsonSchema for At<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

impl JsonSchema for Conditions {
    fn schema_name() -> Cow<'static, str> {
        "Conditions".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let scalar = json!({ "type": ["string", "number", "boolean"] });
        json_schema!({
            "description": "Claims (by name, or by JSON Pointer) and the value, or list of values, that each may have.",
            "type": "object",
            "minProperties": 1,
            "additionalProperties": {
                "anyOf": [scalar, { "type": "array", "minItems": 1, "items": scalar }],
            },
        })
    }
}

/// A type that only stands for a schema.
macro_rules! stands_for {
    ($($name:ident: $schema:tt)*) => {
        $(
            pub(super) struct $name;

            impl JsonSchema for $name {
                fn inline_schema() -> bool {
                    true
                }

                fn schema_name() -> Cow<'static, str> {
                    stringify!($name).into()
                }

                fn json_schema(_: &mut SchemaGenerator) -> Schema {
                    json_schema!($schema)
                }
            }
        )*
    };
}

stands_for! {
    Name: { "type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$" }
    Url: { "type": "string", "pattern": "^https?://" }
    Count: { "type": "integer", "minimum": 1 }
    Duration: { "type": "string", "pattern": "^[0-9]+(ms|s|m|h|d)$" }
    DurationOrDeny: { "type": "string", "pattern": "^([0-9]+(ms|s|m|h|d)|deny)$" }
    PoolOrOff: {
        "anyOf": [
            { "enum": ["off", false] },
            {
                "type": "object",
                "properties": {
                    "idle": { "type": "integer", "minimum": 0, "maximum": 1000 },
                    "idleTimeout": { "type": "string", "pattern": "^[0-9]+(ms|s|m|h|d)$" }
                },
                "additionalProperties": false
            }
        ]
    }
    ProtocolName: { "enum": ["postgres", "mysql", "mongodb", "http"] }
    BindByJti: {
        "type": "object",
        "description": "By the claim jti. source: from its first use on, from that address alone. once: one session.",
        "properties": { "jti": { "enum": ["source", "once"] } },
        "required": ["jti"],
        "additionalProperties": false
    }
    MaskOfPans: {
        "type": "object",
        "properties": { "pan": { "enum": ["full", "last4", "bin6-last4", "bin8-last4", "surrogate"] } },
        "required": ["pan"],
        "additionalProperties": false
    }
    Record: {
        "type": "object",
        "properties": {
            "responses": {
                "anyOf": [
                    { "enum": ["full", "digest"] },
                    {
                        "type": "object",
                        "properties": { "rows": { "type": "integer", "minimum": 1 } },
                        "required": ["rows"],
                        "additionalProperties": false
                    }
                ]
            }
        },
        "required": ["responses"],
        "additionalProperties": false
    }
    Evidence: {
        "type": "object",
        "properties": {
            "durability": {
                "anyOf": [
                    { "const": "before-forward" },
                    {
                        "type": "object",
                        "properties": { "within": { "type": "string", "pattern": "^[0-9]+(ms|s)$" } },
                        "required": ["within"],
                        "additionalProperties": false
                    }
                ]
            }
        },
        "required": ["durability"],
        "additionalProperties": false
    }
}
