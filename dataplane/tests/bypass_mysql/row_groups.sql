-- trick: which rows are grouped
-- expect: masked
-- unlabelled: out-of-reach
-- decode: same

select min(id), count(*) from cards group by substr(pan, 1, 1)
