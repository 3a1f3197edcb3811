-- trick: a variable of the session
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits

set @card = (select pan from cards where id = 1)

select @card
