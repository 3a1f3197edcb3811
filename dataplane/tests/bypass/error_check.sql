-- trick: a check constraint's row
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits

create temp table checked (pan text check (length(pan) < 5))

insert into checked select pan from cards
