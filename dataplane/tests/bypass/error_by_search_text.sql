-- trick: an error of a search text that shows it backwards
-- expect: masked
-- unlabelled: out-of-reach
-- decode: reversed

select to_tsquery('a b' || reverse(pan)) from cards where id = 1
