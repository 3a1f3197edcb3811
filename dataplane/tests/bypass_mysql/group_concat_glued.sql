-- trick: all of them with nothing between
-- expect: masked
-- unlabelled: out-of-reach
-- decode: digits

select group_concat(pan order by id separator '') from cards
