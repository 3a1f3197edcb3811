-- trick: warnings of a value cut off
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits
-- send: simple

set sql_mode = ''

begin

insert into settlements (card_id, amount) select id, concat('x', pan) from cards where id = 1

show warnings

rollback
