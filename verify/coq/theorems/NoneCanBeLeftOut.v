(* Which hypotheses of Theorem 2 can be left out?  None: without any one of the three there is a model of one layer and
   one state coordinate that recognises PARITY.

     1. a gate may be -1            (all states stay within -1 and 1, nothing is rounded)
     2. the state may grow          (the gate is 1; only two values of features ever enter the readout. That features
     are finitely many is therefore not enough, if phi rounds: floor(h / 2) knows the parity of h)
     3. rounding may wrap round     (the gate is 1, the states are 0 and 1; Nowak, Cotterell, Boumasmoud 2026) *)
From Verify Require SSM.
From Verify.theorems Require Import NonnegativeGates OfModels.
From Verify.theorems Require Parity.
Require Import ZArith List Bool Lia Arith ZifyBool.
Import ListNotations.
Open Scope Z_scope.

Definition ones (w : list nat) : nat := count_occ Nat.eq_dec w 1%nat.
Definition even (k : nat) : bool := Nat.even k.
Definition first_output (out : list bool) : bool := hd false out.

Lemma ones_snoc w a : ones (w ++ [a]) = ((if Nat.eqb a 1 then 1 else 0) + ones w)%nat.
Proof.
  unfold ones. rewrite count_occ_app. simpl. destruct (Nat.eq_dec a 1) as [-> | D]; simpl; [lia|].
  apply Nat.eqb_neq in D. rewrite D. lia.
Qed.
Lemma decides_parity m : (forall w, over 2 w -> hd false (snd (SSM.run m w)) = even (ones w)) ->
  decides m 2 first_output parity.
Proof.
  intro H. split; [intros w [O _]; exact O|]. intros w O. unfold parity, first_output, even in *.
    rewrite (H w O), Nat.even_spec. tauto.
Qed.

(* -- 1. a gate of -1 on every 1, and of 1 on every 0 --------------------------------------------------------------- *)

Definition flips : SSM.model := SSM.Model 0 0 [[0]; [1]; [0]]
  [SSM.Layer (SSM.Affine 0 [(1, [(0%nat, -2)])]) (SSM.Affine 0 [(0, [])]) 0 [1] [(SSM.Affine 0 [(0, [(0%nat, 1)])],
    SSM.Linear)]]
  (SSM.Affine 0 [(0, [(0%nat, 1)])]).
Definition sign (w : list nat) : Z := if even (ones w) then 1 else -1.
Lemma flips_run w : over 2 w -> SSM.run flips w = ([[sign w]], [even (ones w)]).
Proof.
  induction w as [|a w IH] using rev_ind; intro O; [reflexivity|]. apply Forall_app in O as [O1 O2].
    inversion O2; subst.
  rewrite run_snoc, (IH O1). unfold sign. rewrite ones_snoc. cbn [fst].
  destruct a as [|[|a]]; [| |lia]; cbn [Nat.eqb]; rewrite ?Nat.add_0_l, ?Nat.add_1_l; unfold even;
    rewrite ?Nat.even_succ, <- ?Nat.negb_even; destruct (Nat.even (ones w)); reflexivity.
Qed.
Theorem parity_by_a_negative_gate : decides flips 2 first_output parity /\ bounded_when_run flips 2 (-1) 1.
Proof.
  split; [apply decides_parity; intros w O; rewrite (flips_run w O); reflexivity|].
  intros w O. rewrite (flips_run w O). unfold sign. cbn [fst]. destruct (even (ones w)); repeat constructor; lia.
Qed.
Print Assumptions parity_by_a_negative_gate.

(* -- 2. a counter, and a phi that halves it and rounds down -------------------------------------------------------- *)

Definition counts : SSM.model := SSM.Model 0 0 [[0]; [1]; [0]]
  [SSM.Layer (SSM.Affine 0 [(1, [])]) (SSM.Affine 0 [(0, [(0%nat, 1)])]) 0 [0]
     [(SSM.Affine 1 [(0, [(0%nat, 2)]); (0, [(0%nat, 1)])], SSM.Linear);               (* h and floor(h / 2) *)
      (SSM.Affine 0 [(0, [(0%nat, 1); (1%nat, -2)])], SSM.Linear)]]  (* h - 2 floor(h / 2), which is 0 or 1 *)
  (SSM.Affine 0 [(1, [(0%nat, -1)])]).
Lemma counts_step h a : (a < 2)%nat ->
  SSM.step counts [[h]] a = ([[h + Z.of_nat a]], [(h + Z.of_nat a) mod 2 =? 0]).
Proof.
  intro A. destruct a as [|[|a]]; [| |lia];
    cbv [SSM.step SSM.through SSM.layers SSM.bits counts SSM.update SSM.features SSM.mix SSM.raw SSM.row SSM.rows
      SSM.phi SSM.gate SSM.increment
         SSM.exponent SSM.embedded SSM.embedding SSM.embedding_exponent SSM.readout fold_left map combine app nth fst
           snd SSM.act SSM.updated SSM.stored
         Z.of_nat Pos.of_succ_nat];
    change (2 ^ (0 + 0 + 0)) with 1; change (2 ^ (0 + 0)) with 1; change (2 ^ 0) with 1; change (2 ^ 1) with 2.
  all: rewrite !Z.div_1_r; f_equal; [f_equal; f_equal; lia|f_equal].
  all: Z.div_mod_to_equations; lia.
Qed.
Lemma even_mod k : (Z.of_nat k mod 2 =? 0) = even k.
Proof.
  unfold even. change 2 with (Z.of_nat 2). rewrite <- Nat2Z.inj_mod.
    rewrite <- Nat.bit0_mod, Nat.bit0_odd, <- Nat.negb_even.
  destruct (Nat.even k); reflexivity.
Qed.
Lemma counts_run w : over 2 w -> SSM.run counts w = ([[Z.of_nat (ones w)]], [even (ones w)]).
Proof.
  induction w as [|a w IH] using rev_ind; intro O; [reflexivity|]. apply Forall_app in O as [O1 O2].
    inversion O2; subst.
  rewrite run_snoc, (IH O1). cbn [fst]. rewrite counts_step by assumption. rewrite <- even_mod, ones_snoc.
  replace (Z.of_nat (ones w) + Z.of_nat a) with (Z.of_nat ((if Nat.eqb a 1 then 1 else 0) + ones w)) by
    (destruct a as [|[|a]]; simpl; lia). reflexivity.
Qed.
Theorem parity_by_an_unbounded_state : decides counts 2 first_output parity /\ nonnegative_when_run counts 2.
Proof.
  split; [apply decides_parity; intros w O; rewrite (counts_run w O); reflexivity|].
  intros w a O A. rewrite (counts_run w O). cbn. repeat constructor. lia.
Qed.
Print Assumptions parity_by_an_unbounded_state.

(* Two numbers at most enter each layer and the readout: the embedding gives 0 or 1, and phi gives h mod 2. *)
Theorem its_features_are_zero_or_one h x : 0 <= nth 0
  (SSM.features 0 (hd (SSM.Layer (SSM.Affine 0 []) (SSM.Affine 0 []) 0 [] []) (SSM.layers counts)) [h] [x]) 0 <= 1.
Proof.
  cbv [SSM.layers counts hd SSM.features SSM.mix SSM.raw SSM.row SSM.rows SSM.phi SSM.exponent fold_left map app nth fst
    snd SSM.act].
  change (2 ^ 0) with 1; change (2 ^ 1) with 2. rewrite !Z.div_1_r. Z.div_mod_to_equations; lia.
Qed.
Print Assumptions its_features_are_zero_or_one.

(* -- 3. two-valued integers that wrap round ------------------------------------------------------------------------ *)

Definition bit (a : bool) : Z := if a then 1 else 0.
Definition wraps : model bool Z Z := Model bool Z Z bit
  [Layer Z (fun x => [fun v => (1 * v + x) mod 2]) (fun h _ => hd 0 h)] ([[0]], 0) (fun z => z).
Theorem parity_by_wrapping_round : recognises wraps (Z.eqb 0) Parity.parity /\ bounded wraps 0 1.
Proof.
  split.
  - assert (next : forall c z a, step _ _ _ wraps ([[c mod 2]], z) a = ([[(c + bit a) mod 2]], (c + bit a) mod 2)).
    { intros c z a. unfold step, update, pointwise. cbn [layers wraps through fst maps phi combine map snd hd].
      unfold update, pointwise. cbn [maps combine map fst snd]. rewrite Z.mul_1_l, Zplus_mod_idemp_l. reflexivity. }
    assert (R : forall w, fold_left (step _ _ _ wraps) w ([[0 mod 2]], 0 mod 2) =
                          ([[Z.of_nat (count_occ bool_dec w true) mod 2]], Z.of_nat (count_occ bool_dec w true) mod 2)).
    { induction w as [|a w IH] using rev_ind; [reflexivity|]. rewrite fold_left_app, IH, count_occ_app. cbn [fold_left].
      rewrite next.
      replace (Z.of_nat (count_occ bool_dec w true + count_occ bool_dec [a] true))
        with (Z.of_nat (count_occ bool_dec w true) + bit a)
        by (destruct a; simpl; lia). reflexivity. }
    intro w. unfold output. change (start _ _ _ wraps) with ([[0 mod 2]], 0 mod 2). rewrite R. simpl.
      unfold Parity.parity. rewrite <- Nat.even_spec.
    generalize (count_occ bool_dec w true). intro k. change (Nat.even k) with (even k). rewrite <- even_mod, Z.eqb_sym.
      tauto.
  - split; repeat constructor; try lia; unfold within, keeps; intros; Z.div_mod_to_equations; lia.
Qed.
Print Assumptions parity_by_wrapping_round.
