-- trick: a comment that is code
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits

select /*! pan */ from cards

select /*!50000 pan */, /*M!100000 pan_number */ from cards
