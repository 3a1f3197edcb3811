-- trick: halves of a variable
-- expect: denied
-- unlabelled: denied
-- anything: out-of-reach
-- decode: joined

select pan into @card from cards where id = 1

select substr(@card, 1, 8), substr(@card, 9)
