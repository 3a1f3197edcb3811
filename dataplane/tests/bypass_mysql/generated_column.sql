-- trick: a generated column
-- expect: denied
-- unlabelled: denied
-- anything: out-of-reach
-- decode: joined
-- send: simple

create temporary table halved (pan varchar(32), a varchar(8) as (left(pan, 8)), b varchar(8) as (substr(pan, 9)))

insert into halved (pan) select pan from cards where id = 1

select a, b from halved
