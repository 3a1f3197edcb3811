-- trick: a comment that is code for later versions alone
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits

select /*!999999 1 from settlements; */ pan from cards
