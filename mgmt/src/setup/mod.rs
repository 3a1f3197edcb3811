//! What is done once, before mgmt first serves: keys of the evidence, certificates for demo and tests.

pub mod certificates;
pub mod keys;
