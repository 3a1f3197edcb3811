-- trick: an error that shows the value
-- expect: masked
-- unlabelled: masked
-- decode: digits

select pan::date from cards where id = 1

select pan::int from cards where id = 1

select (pan || '!')::bigint from cards where id = 1
