//! The Merkle tree of RFC 6962, section 2: SHA-256, leaves prefixed by 0, nodes by 1. Grows by its right edge alone,
//! so that a log is resumed from a few hashes. Leaves out what a leaf is made of (segment.rs) and signatures.

use sha2::{Digest, Sha256};

/// A SHA-256 value.
pub type Hash = [u8; 32];

/// The hash of a leaf whose data are `parts`, one after another.
pub fn leaf_hash(parts: &[&[u8]]) -> Hash {
    let mut hasher = Sha256::new_with_prefix([0]);
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// The hash of an inner node.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new_with_prefix([1]).chain_update(left).chain_update(right).finalize().into()
}

/// A tree of which only the right edge is kept: the roots of its complete subtrees, largest first.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Tree {
    size: u64,
    /// One for each bit set in `size`, from the highest.
    peaks: Vec<Hash>,
}

impl Tree {
    /// The empty tree.
    pub fn new() -> Self {
        Self::default()
    }

    /// A tree of `size` leaves from its peaks; `None` where their number does not fit.
    pub fn from_peaks(size: u64, peaks: Vec<Hash>) -> Option<Self> {
        (peaks.len() == size.count_ones() as usize).then_some(Self { size, peaks })
    }

    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Roots of the complete subtrees, largest first.
    pub fn peaks(&self) -> &[Hash] {
        &self.peaks
    }

    /// Adds a leaf by its hash.
    pub fn push(&mut self, leaf: Hash) {
        let mut node = leaf;
        // One merge for each trailing one of the size, as in binary addition.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                node = node_hash(&left, &node);
            }
        }
        self.peaks.push(node);
        self.size += 1;
    }

    /// The root; of the empty tree the hash of nothing.
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        match peaks.next() {
            Some(last) => peaks.fold(*last, |right, left| node_hash(left, &right)),
            None => Sha256::digest([]).into(),
        }
    }
}

/// The inclusion proof (RFC 6962, section 2.1.1) of leaf `index` in the tree that `before` becomes when `leaves` are
/// added; from the leaf's sibling up. `None` unless the leaf is one of `leaves`.
pub fn inclusion(before: &Tree, leaves: &[Hash], index: u64) -> Option<Vec<Hash>> {
    let size = before.size.checked_add(leaves.len() as u64)?;
    if index < before.size || index >= size {
        return None;
    }
    let (mut start, mut end) = (0, size);
    let mut path = Vec::new();
    while end - start > 1 {
        let middle = start + split_point(end - start);
        if index < middle {
            path.push(range_root(before, leaves, middle, end)?);
            end = middle;
        } else {
            path.push(range_root(before, leaves, start, middle)?);
            start = middle;
        }
    }
    path.reverse();
    Some(path)
}

/// Whether `path` proves that `leaf` is leaf `index` of the tree of `size` leaves with this root.
pub fn verify_inclusion(leaf: &Hash, index: u64, size: u64, path: &[Hash], root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    // RFC 9162, section 2.1.3.2: the same proof, checked without recursion.
    let (mut index, mut last) = (index, size - 1);
    let mut node = *leaf;
    for sibling in path {
        if last == 0 {
            return false;
        }
        if index & 1 == 1 || index == last {
            node = node_hash(sibling, &node);
            let up = index.trailing_zeros();
            if up > 0 && up < 64 {
                index >>= up;
                last >>= up;
            }
        } else {
            node = node_hash(&node, sibling);
        }
        index >>= 1;
        last >>= 1;
    }
    last == 0 && node == *root
}

/// The largest power of two below `count`, which is at least 2.
fn split_point(count: u64) -> u64 {
    1 << (63 - (count - 1).leading_zeros())
}

/// Root of leaves `start..end`, a node of the tree: a peak of `before`, or made of its peaks and of `leaves`.
fn range_root(before: &Tree, leaves: &[Hash], start: u64, end: u64) -> Option<Hash> {
    if end <= before.size {
        return peak(before, start, end);
    }
    if end - start == 1 {
        return leaves.get(usize::try_from(start - before.size).ok()?).copied();
    }
    let middle = start + split_point(end - start);
    Some(node_hash(&range_root(before, leaves, start, middle)?, &range_root(before, leaves, middle, end)?))
}

/// The peak that covers exactly leaves `start..end`.
fn peak(tree: &Tree, start: u64, end: u64) -> Option<Hash> {
    let (mut at, mut rest) = (0, tree.size);
    for peak in &tree.peaks {
        let length = 1 << (63 - rest.leading_zeros());
        if at == start && at + length == end {
            return Some(*peak);
        }
        at += length;
        rest -= length;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// RFC 6962, section 2.1, word for word.
    fn naive_root(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => Sha256::digest([]).into(),
            [leaf] => *leaf,
            _ => {
                let middle = leaves.len().next_power_of_two() / 2;
                node_hash(&naive_root(&leaves[..middle]), &naive_root(&leaves[middle..]))
            }
        }
    }

    fn naive_path(leaves: &[Hash], index: usize) -> Vec<Hash> {
        if leaves.len() <= 1 {
            return Vec::new();
        }
        let middle = leaves.len().next_power_of_two() / 2;
        let (left, right) = leaves.split_at(middle);
        let (mut path, sibling) = if index < middle {
            (naive_path(left, index), naive_root(right))
        } else {
            (naive_path(right, index - middle), naive_root(left))
        };
        path.push(sibling);
        path
    }

    fn leaves(count: usize) -> Vec<Hash> {
        (0..count).map(|number| leaf_hash(&[&(number as u64).to_le_bytes()])).collect()
    }

    fn grown(leaves: &[Hash]) -> Tree {
        let mut tree = Tree::new();
        leaves.iter().for_each(|leaf| tree.push(*leaf));
        tree
    }

    #[test]
    fn the_known_values_of_the_standard_hold() {
        // RFC 6962 reference vectors (certificate-transparency's merkle tests).
        let hex = |hash: Hash| crate::record::Hex(&hash).to_string();
        assert_eq!(
            hex(Tree::new().root()),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        let data: [&[u8]; 8] = [
            b"",
            &[0],
            &[0x10],
            &[0x20, 0x21],
            &[0x30, 0x31],
            &[0x40, 0x41, 0x42, 0x43],
            &[0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
            &[0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f],
        ];
        let all: Vec<Hash> = data.iter().map(|data| leaf_hash(&[data])).collect();
        assert_eq!(
            hex(grown(&all[..1]).root()),
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
        );
        assert_eq!(
            hex(grown(&all).root()),
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
        );
    }

    #[test]
    fn every_small_tree_equals_the_naive_one() {
        let all = leaves(70);
        for size in 0..=all.len() {
            let tree = grown(&all[..size]);
            assert_eq!(tree.root(), naive_root(&all[..size]));
            assert_eq!(Tree::from_peaks(tree.size(), tree.peaks().to_vec()), Some(tree));
        }
        assert_eq!(Tree::from_peaks(3, vec![[0; 32]]), None);
    }

    proptest! {
        #[test]
        fn proofs_equal_the_naive_ones_and_verify(size in 1usize..200, kept in 0usize..200, index in 0usize..200) {
            let all = leaves(size);
            let kept = kept % size;
            let before = grown(&all[..kept]);
            let index = kept + index % (size - kept);
            let path = inclusion(&before, &all[kept..], index as u64).unwrap();
            prop_assert_eq!(&path, &naive_path(&all, index));
            let root = naive_root(&all);
            prop_assert!(verify_inclusion(&all[index], index as u64, size as u64, &path, &root));
            prop_assert!(!verify_inclusion(&[1; 32], index as u64, size as u64, &path, &root));
            for other in 0..size + 2 {
                let holds = verify_inclusion(&all[index], other as u64, size as u64, &path, &root);
                prop_assert_eq!(holds, other == index);
            }
            for place in 0..path.len() {
                let mut short = path.clone();
                short.remove(place);
                prop_assert!(!verify_inclusion(&all[index], index as u64, size as u64, &short, &root));
            }
            let mut long = path;
            long.push([0; 32]);
            prop_assert!(!verify_inclusion(&all[index], index as u64, size as u64, &long, &root));
        }
    }

    #[test]
    fn a_leaf_outside_the_added_ones_has_no_proof() {
        let all = leaves(9);
        let before = grown(&all[..4]);
        assert_eq!(inclusion(&before, &all[4..], 3), None);
        assert_eq!(inclusion(&before, &all[4..], 9), None);
    }
}
