-- trick: rows read for an update
-- expect: masked
-- unlabelled: masked
-- decode: digits

select pan from cards where id = 1 lock in share mode
