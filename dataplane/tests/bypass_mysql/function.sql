-- trick: a function
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits

create or replace function one_card() returns varchar(32) return (select pan from cards where id = 1)

select one_card()
