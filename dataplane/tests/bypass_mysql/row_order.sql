-- trick: in which order rows come
-- expect: out-of-reach (policy: careful)
-- unlabelled: out-of-reach
-- decode: same

select id from cards order by substr(pan, 5), id
