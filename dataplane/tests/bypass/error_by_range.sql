-- trick: a malformed range, a time zone that there is not
-- expect: masked
-- unlabelled: masked
-- decode: digits

select ('[' || pan)::int8range from cards where id = 1

select now() at time zone pan from cards where id = 1
