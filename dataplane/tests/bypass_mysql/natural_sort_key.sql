-- trick: the key that it is sorted by
-- expect: masked
-- unlabelled: out-of-reach
-- decode: same

select natural_sort_key(pan) from cards
