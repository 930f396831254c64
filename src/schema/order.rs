//! Which elements of a sequence stand right: as many as possible.

/// Marks a longest strictly ascending subsequence of the keys; the others are those to move. Among
/// subsequences of the same length, one that keeps what stands earlier is taken, so that of two
/// swapped neighbours the second is the one to move, as the service says.
pub(super) fn in_order(keys: &[u64]) -> Vec<bool> {
    // starts[n]: the greatest key that begins an ascending run of n + 1 keys; from the right.
    let mut starts: Vec<u64> = Vec::new();
    let mut longest_from = vec![0; keys.len()];
    for (index, key) in keys.iter().enumerate().rev() {
        let longer = starts.partition_point(|start| start > key);
        longest_from[index] = longer + 1;
        match starts.get_mut(longer) {
            Some(start) => *start = *key,
            None => starts.push(*key),
        }
    }
    let mut kept = vec![false; keys.len()];
    let mut needed = starts.len();
    let mut last = None;
    for (index, key) in keys.iter().enumerate() {
        if needed > 0 && longest_from[index] >= needed && last.is_none_or(|last| last < *key) {
            kept[index] = true;
            last = Some(*key);
            needed -= 1;
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moved(keys: &[u64]) -> Vec<u64> {
        let kept = in_order(keys);
        let pairs = keys.iter().zip(kept);
        pairs
            .filter(|(_, kept)| !kept)
            .map(|(key, _)| *key)
            .collect()
    }

    #[test]
    fn the_fewest_are_moved() {
        assert!(moved(&[]).is_empty());
        assert!(moved(&[1, 2, 3]).is_empty());
        assert_eq!(moved(&[9, 1, 2, 3]), [9]);
        assert_eq!(moved(&[1, 2, 9, 3, 4]), [9]);
        assert_eq!(moved(&[2, 3, 4, 1]), [1]);
    }

    #[test]
    fn of_two_swapped_neighbours_the_second_is_moved() {
        assert_eq!(moved(&[2, 1]), [1]);
        assert_eq!(moved(&[1, 3, 2]), [2]);
        assert_eq!(moved(&[1, 3, 2, 4]), [2]);
    }

    #[test]
    fn equal_keys_do_not_stand_together() {
        assert_eq!(moved(&[1, 1, 2]), [1]);
    }
}
