-- trick: a variable that an UPDATE sets
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits

update settlements set amount = amount where id = -1 or (@card := (select pan from cards where id = 1)) is null

select @card
