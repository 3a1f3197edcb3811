-- trick: a variable that a SELECT sets
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits

select @card := pan from cards where id = 1

select @card
