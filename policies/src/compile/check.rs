//! Whether manifests fit together: names that meet nothing or meet twice, addresses, masks, limits. Rules are beside this.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use super::{labelled, mask, rules, waives_tls};
use crate::diagnostic::{At, Diagnostics};
use crate::manifest::{Decide, GroupSource, Kind, Manifests, Negotiation, Policy, Target, Tls, TlsMode};
use crate::model::{Durability, Mask, Protocol};

/// Protocols that this version's dataplane has an engine for.
const SERVED: [Protocol; 2] = [Protocol::Postgres, Protocol::Mysql];
/// Milliseconds that a record may take to be on disk at the most.
const WITHIN_MS_MAX: u64 = 10_000;
/// Milliseconds that a session may last at the most.
const DURATION_MS_MAX: u64 = 30 * 24 * 3_600_000;

/// Tells all that does not fit together.
pub(crate) fn check(manifests: &Manifests, out: &mut Diagnostics<'_>) {
    names(manifests, out);
    issuers(manifests, out);
    for target in &manifests.targets {
        self::target(target, out);
        oauth(target, manifests, out);
        mysql(target, out);
    }
    listeners(manifests, out);
    let known = Known::of(manifests);
    for policy in &manifests.policies {
        self::policy(policy, &known, out);
        rules::check(policy, &known, out);
    }
    masks(manifests, out);
    unused(manifests, out);
}

/// Names that policies may refer to.
pub(super) struct Known<'m> {
    /// `None`: any, since some issuer takes groups from a claim, or there is no issuer to ask.
    groups: Option<BTreeSet<&'m str>>,
    targets: BTreeSet<&'m str>,
    /// Those whose names are compared without case.
    mysql: BTreeSet<&'m str>,
    /// Of targets that read well.
    labels: BTreeMap<&'m str, BTreeSet<&'m str>>,
}

impl<'m> Known<'m> {
    fn of(manifests: &'m Manifests) -> Self {
        let mut groups = BTreeSet::new();
        let mut any = false;
        for source in manifests.issuers.iter().flat_map(|issuer| &issuer.groups) {
            match source {
                GroupSource::When { group, .. } => drop(groups.insert(group.value.as_str())),
                GroupSource::FromClaim { .. } => any = true,
            }
        }
        // An issuer that did not read well may give any group.
        let issuers = manifests.names.keys().filter(|(kind, _)| *kind == Kind::Issuer).count();
        any |= issuers != manifests.issuers.len() || issuers == 0;
        let targets = manifests.names.keys().filter(|(kind, _)| *kind == Kind::Target);
        let labels = manifests.targets.iter().map(|target| {
            let labels = target.data.iter().map(|data| data.label.value.as_str());
            (target.name.value.as_str(), labels.collect())
        });
        Self {
            groups: (!any).then_some(groups),
            targets: targets.map(|(_, name)| name.as_str()).collect(),
            mysql: manifests
                .targets
                .iter()
                .filter(|target| target.protocol.value == Protocol::Mysql)
                .map(|target| target.name.value.as_str())
                .collect(),
            labels: labels.collect(),
        }
    }

    /// Tells where a name is one that no statement at a target of the policy has: MySQL's are in lower case in facts.
    pub(super) fn case(&self, name: &At<String>, policy: &Policy, out: &mut Diagnostics<'_>) {
        let mut targets = policy.targets.iter();
        let quoted = name.value.contains('"') && name.value.chars().any(char::is_uppercase);
        let beyond_ascii = name.value.chars().any(|c| !c.is_ascii() && c.is_uppercase());
        if (quoted || beyond_ascii) && targets.any(|target| self.mysql.contains(target.value.as_str())) {
            let message =
                "names at targets of the protocol mysql are compared without case: write lower case";
            out.error(name.place, message);
        }
    }

    /// Tells where no issuer gives the group.
    pub(super) fn group(&self, group: &At<String>, out: &mut Diagnostics<'_>) {
        if self.groups.as_ref().is_some_and(|groups| !groups.contains(group.value.as_str())) {
            out.error(group.place, format!("no issuer gives the group `{}`", group.value));
        }
    }

    /// Tells where none of the policy's targets has data of this label.
    pub(super) fn label(&self, label: &At<String>, policy: &Policy, out: &mut Diagnostics<'_>) {
        let mut targets = policy.targets.iter().map(|target| self.labels.get(target.value.as_str()));
        // A target that did not read well may have it.
        if !targets.any(|labels| labels.is_none_or(|labels| labels.contains(label.value.as_str()))) {
            out.error(label.place, format!("no target of this policy has data labelled `{}`", label.value));
        }
    }
}

fn names(manifests: &Manifests, out: &mut Diagnostics<'_>) {
    for ((kind, name), places) in &manifests.names {
        for place in places.iter().skip(1) {
            let first = places.first().map(|first| out.describe(*first)).unwrap_or_default();
            out.error(*place, format!("a second {} `{name}`; the first is at {first}", kind.name()));
        }
    }
}

fn issuers(manifests: &Manifests, out: &mut Diagnostics<'_>) {
    let mut urls = BTreeMap::new();
    let holds = manifests.policies.iter().flat_map(|policy| &policy.rules);
    let holds = holds.filter(|rule| rule.decide.value == Decide::Hold).count() > 0;
    for issuer in &manifests.issuers {
        let url = &issuer.url;
        if let Some(first) = urls.insert(url.value.as_str(), url.place) {
            let first = out.describe(first);
            out.error(url.place, format!("a second issuer of this url; the first is at {first}"));
        }
        if !is_https(&url.value) {
            out.error(url.place, "an issuer's url begins with https:// (http:// is for loopback alone)");
        }
        if holds && issuer.requester.is_none() {
            out.warning(
                issuer.name.place,
                format!("issuer `{}` names no requester, yet there are rules that hold", issuer.name.value),
                "without it, a reviewer may approve a job that they have started themselves",
            );
        }
    }
    let none = !manifests.names.keys().any(|(kind, _)| *kind == Kind::Issuer);
    if let Some(policy) = manifests.policies.first().filter(|_| none) {
        out.warning(policy.name.place, "there is no issuer", "nobody can log in");
    }
}

fn is_https(url: &str) -> bool {
    if let Some(rest) = url.strip_prefix("https://") {
        return !rest.is_empty() && !rest.starts_with('/');
    }
    let Some(rest) = url.strip_prefix("http://") else { return false };
    let authority = rest.split('/').next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Connections kept of one target on each core, at the most.
const POOL_IDLE_MAX: u64 = 1000;
/// How long one may be kept where nobody takes it.
const POOL_IDLE_MS: std::ops::RangeInclusive<u64> = 1_000..=600_000;

fn target(target: &Target, out: &mut Diagnostics<'_>) {
    if !SERVED.contains(&target.protocol.value) {
        out.error(target.protocol.place, "this version serves no targets of this protocol yet");
    }
    let listen = target.listen.value.parse::<SocketAddr>();
    match (&listen, &target.listen_tls) {
        (Err(_), _) => {
            out.error(target.listen.place, "`listen` is an IP address and a port, as in 0.0.0.0:5432");
        }
        (Ok(listen), Some(tls)) if waives_tls(target) && !listen.ip().is_loopback() => {
            out.error(tls.place, "TLS may be off only where `listen` is a loopback address");
        }
        _ => {}
    }
    if !is_host_and_port(&target.address.value) {
        let message = "`address` is a host and a port, as in db.internal:5432 or [2001:db8::1]:5432";
        out.error(target.address.place, message);
    }
    if let Some(file) = &target.credential.password_file {
        absolute(file, out);
    } else if target.tls.as_ref().is_none_or(|tls| tls.client_certificate.is_none()) {
        let message =
            "`credential` lacks `passwordFile`, and `tls` has no `clientCertificate` to stand for it";
        out.error(target.credential.username.place, message);
    }
    if let Some(tls) = &target.tls {
        self::tls(tls, &target.address.value, out);
    }
    if let Some(pool) = &target.pool {
        if let Some(idle) = pool.idle.as_ref().filter(|idle| idle.value > POOL_IDLE_MAX) {
            out.error(idle.place, format!("`idle` is {POOL_IDLE_MAX} at the most"));
        }
        let bad = |timeout: &&At<u64>| !POOL_IDLE_MS.contains(&timeout.value);
        if let Some(timeout) = pool.idle_timeout.as_ref().filter(bad) {
            out.error(timeout.place, "`idleTimeout` is between 1s and 10m");
        }
    }
    let mut seen = BTreeSet::new();
    for data in &target.data {
        match labelled(data) {
            Err(error) => out.error(data.column.place, error.to_string()),
            Ok(own) => {
                if !seen.insert((own.schema, own.table, own.column, own.label)) {
                    out.error(data.column.place, "this column has this label already");
                }
            }
        }
    }
}

fn tls(tls: &Tls, address: &str, out: &mut Diagnostics<'_>) {
    let files = [&tls.ca, &tls.client_certificate, &tls.client_key];
    for file in files.into_iter().flatten() {
        absolute(file, out);
    }
    if let (Some(alone), None) | (None, Some(alone)) = (&tls.client_certificate, &tls.client_key) {
        out.error(alone.place, "`clientCertificate` and `clientKey` come together");
    }
    let Some(mode) = tls.mode.as_ref().filter(|mode| mode.value == TlsMode::Plaintext) else { return };
    let names = ["ca", "clientCertificate", "clientKey"].into_iter().zip(files);
    let named = names.filter_map(|(name, file)| Some((name, file.as_ref()?.place)));
    for (name, place) in named.chain(tls.negotiation.as_ref().map(|own| ("negotiation", own.place))) {
        out.error(place, format!("`{name}` means nothing where `mode` is plaintext"));
    }
    if !is_loopback(address) {
        let message = "the credential and card data go to this target without TLS";
        out.warning(mode.place, message, "PCI DSS 4.2.1 asks for strong cryptography on open networks");
    }
}

/// What a target of the protocol mysql cannot have, and must.
fn mysql(target: &Target, out: &mut Diagnostics<'_>) {
    if target.protocol.value != Protocol::Mysql {
        return;
    }
    let tls = target.tls.as_ref();
    if let Some(own) =
        tls.and_then(|tls| tls.negotiation.as_ref()).filter(|own| own.value == Negotiation::Direct)
    {
        out.error(own.place, "`negotiation: direct` is for targets of the protocol postgres");
    }
    for data in &target.data {
        if labelled(data).is_ok_and(|own| own.schema.is_none()) {
            let message = "at a target of the protocol mysql a column is written `database.table.column`";
            out.error(data.column.place, message);
        }
    }
}

/// OAUTHBEARER of the jobs of a target.
fn oauth(target: &Target, manifests: &Manifests, out: &mut Diagnostics<'_>) {
    let Some(oauth) = &target.oauth else { return };
    let known = |(kind, name): &(Kind, String)| *kind == Kind::Issuer && *name == oauth.issuer.value;
    if !manifests.names.keys().any(known) {
        out.error(oauth.issuer.place, format!("there is no issuer `{}`", oauth.issuer.value));
    }
    // RFC 6749, 3.3: printable ASCII without quotes and backslashes.
    let is_scope = |byte: u8| matches!(byte, b' ' | b'!' | b'#'..=b'[' | b']'..=b'~');
    if let Some(scope) = &oauth.scope
        && (scope.value.is_empty() || scope.value.len() > 255 || !scope.value.bytes().all(is_scope))
    {
        out.error(scope.place, "a scope is up to 255 printable characters without quotes and backslashes");
    }
    if target.protocol.value != Protocol::Postgres {
        out.error(oauth.issuer.place, "`oauth` is for targets of the protocol postgres");
    }
    if waives_tls(target) {
        out.error(oauth.issuer.place, "`oauth` needs TLS: `listenTls` may not be off");
    }
}

fn absolute(path: &At<String>, out: &mut Diagnostics<'_>) {
    if !path.value.starts_with('/') {
        out.error(path.place, "a file is named by its whole path, from `/`");
    }
}

fn is_host_and_port(address: &str) -> bool {
    let Some((host, port)) = address.rsplit_once(':') else { return false };
    let port = port.parse::<u16>().is_ok_and(|port| port != 0);
    let host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(host) => host.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
            !host.is_empty() && host.len() <= 253 && host.chars().all(plain)
        }
    };
    host && port
}

fn is_loopback(address: &str) -> bool {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Targets that share a listener are told apart by the database that the client names.
fn listeners(manifests: &Manifests, out: &mut Diagnostics<'_>) {
    let mut listeners = BTreeMap::<&str, Vec<&Target>>::new();
    for target in &manifests.targets {
        listeners.entry(&target.listen.value).or_default().push(target);
    }
    for shared in listeners.values().filter(|targets| targets.len() > 1) {
        let Some(first) = shared.first() else { continue };
        for target in shared {
            let name = &target.name.value;
            if target.database.is_none() {
                let message =
                    format!("`{name}` shares its listener with another target and names no `database`");
                out.error(target.listen.place, message);
            }
            if target.protocol.value != first.protocol.value || waives_tls(target) != waives_tls(first) {
                let message = format!(
                    "`{name}` shares its listener with `{}`, but not its protocol or TLS",
                    first.name.value
                );
                out.error(target.listen.place, message);
            }
        }
    }
}

fn policy(policy: &Policy, known: &Known<'_>, out: &mut Diagnostics<'_>) {
    for group in &policy.groups {
        known.group(group, out);
    }
    for target in &policy.targets {
        if !known.targets.contains(target.value.as_str()) {
            out.error(target.place, format!("there is no target `{}`", target.value));
        }
    }
    if let Some(rows) = policy.record.as_ref().filter(|record| is_zero_rows(record.value)) {
        out.error(rows.place, "0 rows: say digest");
    }
    match &policy.evidence {
        Some(At { value: Durability::Within(within), place }) if !(1..=WITHIN_MS_MAX).contains(within) => {
            out.error(*place, "between 1ms and 10s; or say before-forward");
        }
        _ => {}
    }
    let Some(limits) = &policy.limits else { return };
    for count in [&limits.rows, &limits.sessions].into_iter().flatten() {
        if count.value == 0 {
            out.error(
                count.place,
                "a limit of 0 lets nothing through: say so by a rule, or leave the limit out",
            );
        }
    }
    let outside = |duration: &&At<u64>| !(1_000..=DURATION_MS_MAX).contains(&duration.value);
    if let Some(duration) = limits.duration.as_ref().filter(outside) {
        out.error(duration.place, "a session lasts between 1s and 30d");
    }
}

const fn is_zero_rows(responses: crate::manifest::Responses) -> bool {
    matches!(responses, crate::manifest::Responses::Rows(0))
}

/// One format of masks for the whole deployment: cards truncated in two ways can be put together (PCI SSC FAQ 1117).
/// `full` leaves nothing to put together.
fn masks(manifests: &Manifests, out: &mut Diagnostics<'_>) {
    let mut first = None::<(&Policy, Mask)>;
    for policy in &manifests.policies {
        let own = mask(policy);
        if own == Mask::Full {
            continue;
        }
        let (other, theirs) = *first.get_or_insert((policy, own));
        if own == theirs {
            continue;
        }
        let place = policy.mask.as_ref().map_or(policy.name.place, |mask| mask.place);
        let message = format!(
            "policy `{}` masks as {}, policy `{}` as {}: one deployment has one format",
            policy.name.value,
            format(own),
            other.name.value,
            format(theirs)
        );
        out.error_with_help(place, message, "PCI SSC FAQ 1117; `full` may stand beside any");
    }
}

const fn format(mask: Mask) -> &'static str {
    match mask {
        Mask::Full => "full",
        Mask::Last4 => "last4",
        Mask::Bin6Last4 => "bin6-last4",
        Mask::Bin8Last4 => "bin8-last4",
        Mask::Surrogate => "surrogate",
    }
}

fn unused(manifests: &Manifests, out: &mut Diagnostics<'_>) {
    for target in &manifests.targets {
        let mut named = manifests.policies.iter().flat_map(|policy| &policy.targets);
        if !named.any(|name| name.value == target.name.value) {
            let message = format!("no policy names target `{}`", target.name.value);
            out.warning(target.name.place, message, "nobody may log in there");
        }
    }
}
