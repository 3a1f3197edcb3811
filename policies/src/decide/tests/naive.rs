//! The rules' description as plain code, over generated rules and facts. Shares no code with `decide` but the patterns.

use proptest::prelude::*;

use super::*;
use crate::statement::Access;

/// A rule as it is generated; lists of words as they would stand in a manifest.
#[derive(Debug, Clone)]
struct Plain {
    decide: &'static str,
    verbs: Vec<Verb>,
    objects: Vec<&'static str>,
    columns: Vec<&'static str>,
    labels: Vec<&'static str>,
    effects: Vec<Effect>,
    functions: Vec<&'static str>,
}

const VERBS: [Verb; 5] = [Verb::Select, Verb::Update, Verb::Delete, Verb::Transaction, Verb::Unknown];
const OBJECTS: [&str; 7] = ["*", "public.*", "public.a", "a", "b", "s.a", "s.*"];
const COLUMNS: [&str; 6] = ["public.a.x", "a.y", "public.a.*", "s.a.x", "b.*", "public.cards.pan"];
const LABELS: [&str; 2] = ["pan", "sad"];
const EFFECTS: [Effect; 4] =
    [Effect::ReadsLabelled, Effect::DynamicSql, Effect::Unbounded, Effect::WritesFile];
const FUNCTIONS: [&str; 3] = ["public.f", "g", "*"];

fn some<T: Clone + std::fmt::Debug + 'static>(words: &'static [T]) -> impl Strategy<Value = Vec<T>> {
    prop_oneof![
        2 => Just(Vec::new()),
        3 => proptest::sample::subsequence(words.to_vec(), 1..=words.len().min(3)),
    ]
}

fn rule() -> impl Strategy<Value = Plain> {
    let decide = proptest::sample::select(vec!["allow", "allow", "allow", "hold", "deny"]);
    let lists =
        (some(&VERBS), some(&OBJECTS), some(&COLUMNS), some(&LABELS), some(&EFFECTS), some(&FUNCTIONS));
    // Most rules are narrow in two ways at most, or hardly anything would ever match.
    (decide, lists, proptest::sample::subsequence(vec![2, 3, 4, 5], 2..=4)).prop_map(
        |(decide, lists, clear)| {
            let (verbs, objects, mut columns, mut labels, mut effects, mut functions) = lists;
            for list in clear {
                match list {
                    2 => columns.clear(),
                    3 => labels.clear(),
                    4 => effects.clear(),
                    _ => functions.clear(),
                }
            }
            Plain { decide, verbs, objects, columns, labels, effects, functions }
        },
    )
}

fn statement() -> impl Strategy<Value = Facts> {
    let object =
        proptest::option::of(proptest::sample::select(vec!["a", "public.a", "s.a", "b", "public.cards"]));
    let verb = proptest::sample::select(VERBS[..4].to_vec());
    let accesses = proptest::collection::btree_set(
        (verb, object).prop_map(|(verb, object)| Access {
            verb,
            object: object.filter(|_| verb != Verb::Transaction).map(str::to_owned),
        }),
        1..4,
    );
    let column = proptest::sample::select(vec!["x", "y", "*", "pan", "cvv"]);
    let columns = proptest::collection::vec((0_usize..3, column), 0..3);
    let effects = some(&[Effect::DynamicSql, Effect::Unbounded, Effect::WritesFile]);
    let functions = some(&["f", "public.f", "g", "lower"]);
    (accesses, columns, effects, functions, proptest::bool::weighted(0.1)).prop_map(
        |(accesses, columns, effects, functions, unknown)| {
            let mut accesses: Vec<Access> = accesses.into_iter().collect();
            if unknown {
                accesses.push(Access { verb: Verb::Unknown, object: None });
            }
            let mut objects: Vec<String> =
                accesses.iter().filter_map(|access| access.object.clone()).collect();
            objects.sort();
            objects.dedup();
            let columns: std::collections::BTreeSet<String> = columns
                .into_iter()
                .filter_map(|(index, column)| Some(format!("{}.{column}", objects.get(index)?)))
                .collect();
            let columns: Vec<String> = columns.into_iter().collect();
            let mut verbs: Vec<Verb> = accesses.iter().map(|access| access.verb).collect();
            verbs.sort();
            verbs.dedup();
            Facts {
                understood: !unknown,
                verbs,
                accesses,
                objects,
                reads: columns.clone(),
                columns,
                effects,
                functions: functions.into_iter().map(str::to_owned).collect(),
                ..Facts::default()
            }
        },
    )
}

fn yaml(rules: &[Plain]) -> String {
    let list = |name: &str, words: Vec<String>| match words.is_empty() {
        true => String::new(),
        false => {
            format!(", {name}: [{}]", words.iter().map(|it| format!("'{it}'")).collect::<Vec<_>>().join(", "))
        }
    };
    let text = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
    let mut yaml = String::new();
    for (index, rule) in rules.iter().enumerate() {
        let verbs = rule.verbs.iter().map(|verb| verb_name(*verb).to_owned()).collect();
        let effects =
            rule.effects.iter().map(|effect| crate::model::effect_name(*effect).to_owned()).collect();
        let approval = if rule.decide == "hold" { ", approval: {reviewers: [r]}" } else { "" };
        let lists = [
            list("verbs", verbs),
            list("objects", text(&rule.objects)),
            list("columns", text(&rule.columns)),
            list("labels", text(&rule.labels)),
            list("effects", effects),
            list("functions", text(&rule.functions)),
        ];
        let decide = rule.decide;
        yaml.push_str(&format!("  - {{name: r{index}{}, decide: {decide}{approval}}}\n", lists.concat()));
    }
    yaml
}

/// `schema`, with public where there is none, and the name.
fn parts(name: &str) -> (Option<&str>, &str) {
    name.split_once('.').map_or((None, name), |(schema, name)| (Some(schema), name))
}

fn may_be(pattern: &str, name: &str) -> bool {
    let (schema, name) = parts(name);
    match parts(pattern) {
        (None, "*") => true,
        (None, own) => own == name,
        (Some(own), "*") => schema.is_none() || schema == Some(own),
        (Some(own_schema), own) => own == name && (schema.is_none() || schema == Some(own_schema)),
    }
}

fn is(pattern: &str, name: &str) -> bool {
    let (schema, name) = parts(name);
    let schema = schema.unwrap_or("public");
    match parts(pattern) {
        (None, "*") => true,
        (None, own) => own == name && schema == "public",
        (Some(own), "*") => schema == own,
        (Some(own_schema), own) => own == name && schema == own_schema,
    }
}

fn any_of(patterns: &[&str], name: &str, meets: fn(&str, &str) -> bool) -> bool {
    patterns.iter().any(|pattern| meets(pattern, name))
}

/// A column pattern against an object's column.
fn column_is(pattern: &str, column: &str, meets: fn(&str, &str) -> bool, star: bool) -> bool {
    let ((object, own), (of, column)) = (pattern.rsplit_once('.').unwrap(), column.rsplit_once('.').unwrap());
    meets(object, of) && (own == "*" || own == column || (star && column == "*"))
}

/// Labels of `TARGET` that a column touches.
fn labels_of(column: &str) -> Vec<&'static str> {
    let labelled = [("public.cards.pan", "pan"), ("public.cards.cvv", "sad"), ("vault.keys.*", "keys")];
    let touched = labelled.iter().filter(|(own, _)| column_is(own, column, may_be, true));
    touched.map(|(_, label)| *label).collect()
}

/// What a rule may be asked about, worked out once.
struct Asked {
    facts: Facts,
    blind: bool,
    labels: Vec<&'static str>,
    effects: Vec<Effect>,
}

impl Asked {
    fn new(facts: &Facts) -> Self {
        let mut facts = facts.clone();
        let all = facts.accesses.clone();
        facts.accesses.retain(|access| {
            access.object.is_some()
                || !all.iter().any(|other| other.verb == access.verb && other.object.is_some())
        });
        let blind = !facts.understood || facts.effects.contains(&Effect::DynamicSql);
        let labels: Vec<&str> = match blind {
            true => vec!["pan", "sad", "keys"],
            false => facts.columns.iter().flat_map(|column| labels_of(column)).collect(),
        };
        let mut effects = facts.effects.clone();
        if !labels.is_empty() {
            effects.push(Effect::ReadsLabelled);
        }
        Self { facts, blind, labels, effects }
    }

    /// Columns of an object.
    fn of(&self, object: &str) -> Vec<&String> {
        self.facts.columns.iter().filter(|column| column.rsplit_once('.').unwrap().0 == object).collect()
    }

    /// What a deny or hold rule is about; `None`: it does not fire.
    fn fires(&self, rule: &Plain) -> Option<Vec<&Access>> {
        let facts = &self.facts;
        let about: Vec<&Access> = facts
            .accesses
            .iter()
            .filter(|access| rule.verbs.is_empty() || rule.verbs.contains(&access.verb))
            .filter(|access| match &access.object {
                _ if rule.objects.is_empty() || self.blind => true,
                Some(object) => any_of(&rule.objects, object, may_be),
                None => false,
            })
            .collect();
        let column = |own: &str| facts.columns.iter().any(|column| column_is(own, column, may_be, true));
        let function = |name: &String| {
            let name = if name == "lower" { "pg_catalog.lower" } else { name };
            any_of(&rule.functions, name, may_be)
        };
        let unclear = !facts.understood;
        let found = [
            !about.is_empty(),
            rule.columns.is_empty() || self.blind || rule.columns.iter().any(|own| column(own)),
            rule.labels.is_empty() || rule.labels.iter().any(|label| self.labels.contains(label)),
            rule.effects.is_empty() || unclear || rule.effects.iter().any(|it| self.effects.contains(it)),
            rule.functions.is_empty() || unclear || facts.functions.iter().any(function),
        ];
        found.iter().all(|found| *found).then_some(about)
    }

    /// Whether an approval by this rule reaches the access.
    fn reaches(&self, rule: &Plain, access: &Access) -> bool {
        let Some(object) = access.object.as_ref().filter(|_| !self.blind) else { return true };
        let columns = self.of(object);
        let touched = |label: &str| columns.iter().any(|column| labels_of(column).contains(&label));
        let named = |own: &str| columns.iter().any(|column| column_is(own, column, may_be, true));
        let only_functions = !rule.functions.is_empty()
            && rule.objects.is_empty()
            && rule.labels.is_empty()
            && rule.columns.is_empty();
        (rule.labels.is_empty() || rule.labels.iter().any(|label| touched(label)))
            && (rule.columns.is_empty() || rule.columns.iter().any(|own| named(own)))
            && !only_functions
    }
}

fn naive(rules: &[Plain], facts: &Facts) -> &'static str {
    let asked = Asked::new(facts);
    if rules.iter().any(|rule| rule.decide == "deny" && asked.fires(rule).is_some()) {
        return "deny";
    }
    let holds = rules.iter().filter(|rule| rule.decide == "hold");
    let holds: Vec<(&Plain, Vec<&Access>)> =
        holds.filter_map(|rule| Some((rule, asked.fires(rule)?))).collect();
    let held = |access: &Access| {
        holds.iter().any(|(rule, about)| asked.reaches(rule, access) && about.contains(&access))
    };
    let allows: Vec<&Plain> = rules.iter().filter(|rule| rule.decide == "allow").collect();
    let permitted = |access: &Access| held(access) || allowed(&allows, access, &asked.facts, asked.blind);
    if !asked.facts.accesses.iter().all(permitted) {
        return "deny";
    }
    if !holds.is_empty() {
        return "hold";
    }
    let named = |function: &String| {
        allows.iter().any(|rule| {
            let verb = |verb: &Verb| match rule.verbs.is_empty() {
                true => *verb != Verb::Unknown,
                false => rule.verbs.contains(verb),
            };
            any_of(&rule.functions, function, is) && facts.verbs.iter().any(verb)
        })
    };
    let foreign = facts.functions.iter().filter(|function| *function != "lower");
    if foreign.into_iter().all(named) { "allow" } else { "deny" }
}

/// Every column of the access, or the access where it has none, by some rule.
fn allowed(allows: &[&Plain], access: &Access, facts: &Facts, blind: bool) -> bool {
    let boundable = |verb: Verb| matches!(verb, Verb::Update | Verb::Delete);
    let belongs = |effect: &&Effect| {
        **effect != Effect::Unbounded
            || boundable(access.verb)
            || !facts.verbs.iter().any(|verb| boundable(*verb))
    };
    let dangers: Vec<&Effect> = facts.effects.iter().filter(belongs).collect();
    let columns: Vec<&String> = facts
        .columns
        .iter()
        .filter(|column| Some(column.rsplit_once('.').unwrap().0) == access.object.as_deref())
        .collect();
    let permits = |rule: &&&Plain| {
        let verb = match rule.verbs.is_empty() {
            true => access.verb != Verb::Unknown,
            false => rule.verbs.contains(&access.verb),
        };
        let object = match &access.object {
            None => {
                rule.objects.is_empty()
                    || rule.objects.contains(&"*")
                    || matches!(access.verb, Verb::Select | Verb::Transaction)
            }
            Some(_) if rule.objects.is_empty() => {
                rule.functions.is_empty() || !rule.columns.is_empty() || !rule.labels.is_empty()
            }
            Some(object) => any_of(&rule.objects, object, is),
        };
        let touched: Vec<&str> = columns.iter().flat_map(|column| labels_of(column)).collect();
        let labels = rule.labels.is_empty()
            || (!blind && !touched.is_empty() && touched.iter().all(|label| rule.labels.contains(label)));
        verb && object && labels && dangers.iter().all(|effect| rule.effects.contains(effect))
    };
    let permitting: Vec<&&Plain> = allows.iter().filter(permits).collect();
    match (&access.object, columns.is_empty()) {
        (None, _) => !permitting.is_empty(),
        (Some(_), true) => permitting.iter().any(|rule| rule.columns.is_empty()),
        (Some(_), false) => columns.iter().all(|column| {
            permitting.iter().any(|rule| {
                rule.columns.is_empty() || rule.columns.iter().any(|own| column_is(own, column, is, false))
            })
        }),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn decides_as_the_description_does(
        rules in proptest::collection::vec(rule(), 1..6),
        statements in proptest::collection::vec(statement(), 1..12),
    ) {
        let text = format!("{TARGET}{}", yaml(&rules));
        // Rules that contradict themselves or each other are refused when they are compiled.
        let manifests = manifest::read(&[("m.yaml", &text)]).unwrap_or_else(|errors| panic!("{errors:#?}"));
        let Ok(compiled) = compile(&manifests, 1, 1) else { return Ok(()) };
        let snapshot = Snapshot::open(&compiled.snapshot).unwrap();
        let class = snapshot.class(&["g".to_owned()], "payments").unwrap();
        for facts in statements {
            let decision = snapshot.decide(&class, "payments", &facts);
            prop_assert_eq!(decision.name(), naive(&rules, &facts), "{:#?}\n{:#?}\n{:?}", rules, facts, decision);
        }
    }

    #[test]
    fn a_list_is_the_strictest_of_its_members(
        rules in proptest::collection::vec(rule(), 1..6),
        members in proptest::collection::vec(statement(), 2..5),
    ) {
        let text = format!("{TARGET}{}", yaml(&rules));
        let manifests = manifest::read(&[("m.yaml", &text)]).unwrap_or_else(|errors| panic!("{errors:#?}"));
        let Ok(compiled) = compile(&manifests, 1, 1) else { return Ok(()) };
        let snapshot = Snapshot::open(&compiled.snapshot).unwrap();
        let class = snapshot.class(&["g".to_owned()], "payments").unwrap();
        let strictness = |name: &str| ["allow", "hold", "deny"].iter().position(|own| *own == name);
        let each = members.iter().map(|facts| snapshot.decide(&class, "payments", facts).name()).max_by_key(|it| strictness(it));
        let list = Facts { members, ..Facts::default() };
        prop_assert_eq!(Some(snapshot.decide(&class, "payments", &list).name()), each);
    }
}
