-- trick: what a procedure gives back
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits

create or replace procedure give_back(out card varchar(32)) select pan into card from cards where id = 1

call give_back(@card)

select @card
