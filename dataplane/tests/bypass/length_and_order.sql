-- trick: lag and lead
-- expect: masked
-- unlabelled: masked
-- decode: digits

select lag(pan) over (order by id), lead(pan) over (order by id), first_value(pan) over (order by id) from cards
