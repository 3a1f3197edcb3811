-- trick: the row that a CHECK does not take
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits
-- direct: fails

create or replace table checked (note text check (note not like '4%'))

insert into checked select pan from cards where id = 1
