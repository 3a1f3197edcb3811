-- trick: of other rows
-- expect: masked
-- unlabelled: masked
-- anything: masked
-- decode: digits

select lag(pan) over (order by id), first_value(pan) over (order by id), nth_value(pan, 2) over (order by id) from cards
