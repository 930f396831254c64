//! Which elements of a sequence stand right: as many as possible.

/// Marks a longest strictly ascending subsequence of the keys; the others are those to move. Among
/// subsequences of the same length, one that keeps what stands earlier is taken, so that of two
/// swapped neighbours the second is the one to move, as the service says.
pub(super) fn in_order(keys: &[u64]) -> Vec<bool> {
    // tails[n]: index of the least possible end of an ascending run of n + 1 keys.
    let mut tails: Vec<usize> = Vec::new();
    let mut previous: Vec<Option<usize>> = Vec::with_capacity(keys.len());
    let mut length: Vec<usize> = Vec::with_capacity(keys.len());
    for (index, key) in keys.iter().enumerate() {
        let at = tails.partition_point(|tail| keys[*tail] < *key);
        previous.push(at.checked_sub(1).map(|before| tails[before]));
        length.push(at + 1);
        match tails.get_mut(at) {
            Some(tail) => *tail = index,
            None => tails.push(index),
        }
    }
    let mut kept = vec![false; keys.len()];
    // The first end of a longest run, not the least, keeps what stands earlier.
    let mut next = length.iter().position(|run| *run == tails.len());
    while let Some(index) = next {
        kept[index] = true;
        next = previous[index];
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
        assert_eq!(moved(&[]), []);
        assert_eq!(moved(&[1, 2, 3]), []);
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
