-- trick: a letter in the middle
-- expect: masked
-- unlabelled: out-of-reach
-- decode: digits

select overlay(pan placing 'x' from 9 for 0) from cards
