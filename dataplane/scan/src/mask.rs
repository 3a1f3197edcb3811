//! What a mask leaves open.

/// What a mask leaves open of a card number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Format {
    /// Nothing.
    Full,
    /// The last four digits.
    #[default]
    Last4,
    /// The first six and the last four, for 15 digits and more.
    Bin6Last4,
    /// The first eight and the last four, for 16 digits.
    Bin8Last4,
}
