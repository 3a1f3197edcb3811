//! Roles that follow from groups. A reviewer is no role: who reviews stands in the rule.

use crate::config::Roles;

/// A verified caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The token's issuer.
    pub issuer: String,
    /// The token's subject.
    pub subject: String,
    /// The person behind the token, or empty.
    pub requester: String,
    /// Groups.
    pub groups: Vec<String>,
    /// May apply policy.
    pub admin: bool,
    /// May read all evidence.
    pub auditor: bool,
}

impl Person {
    /// Gives the roles that the groups stand for.
    pub fn new(issuer: &str, subject: &str, requester: &str, groups: Vec<String>, roles: &Roles) -> Self {
        let any = |of: &[String]| groups.iter().any(|group| of.contains(group));
        let (admin, auditor) = (any(&roles.admin), any(&roles.auditor));
        let [issuer, subject, requester] = [issuer, subject, requester].map(str::to_owned);
        Self { issuer, subject, requester, groups, admin, auditor }
    }

    /// Names of the roles.
    pub fn role_names(&self) -> Vec<String> {
        let mut names = Vec::new();
        if self.admin {
            names.push("admin".to_owned());
        }
        if self.auditor {
            names.push("auditor".to_owned());
        }
        names
    }

    /// Whether one of these groups is the person's.
    pub fn is_in(&self, groups: &[String]) -> bool {
        self.groups.iter().any(|group| groups.contains(group))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_named_groups_give_a_role() {
        let roles = Roles { admin: vec!["ops".into()], auditor: vec!["audit".into(), "pci".into()] };
        let person = |groups: &[&str]| {
            Person::new("i", "s", "", groups.iter().map(|group| (*group).to_owned()).collect(), &roles)
        };
        assert_eq!(person(&["ops", "pci"]).role_names(), ["admin", "auditor"]);
        assert!(person(&["admin", "auditor", "Ops"]).role_names().is_empty());
        assert!(person(&[]).role_names().is_empty());
        assert!(Person::new("i", "s", "", vec!["ops".into()], &Roles::default()).role_names().is_empty());
    }
}
