//! Masking for the recorder: the values that a job sends, by the rules for those that it gets.

use alloc::vec::Vec;

use scan::{Format, Scanner};

use super::value::Class;
use crate::masker::Masker;

/// Masks a Bind parameter in place, of whatever type it is; how many card numbers were masked. A value in binary is
/// tried as every type that can hold one, so that another number may be masked too: fit for a record, not for use.
pub fn mask_parameter(scanner: &Scanner, value: &mut [u8], binary: bool, format: Format) -> usize {
    let mut masker = Masker { scanner: *scanner, format, scratch: Vec::new() };
    masker.mask(if binary { Class::Unknown } else { Class::Mixed }, value)
}
