-- trick: all of them in a list
-- expect: masked
-- unlabelled: masked
-- anything: masked
-- decode: digits

select group_concat(pan order by id) from cards
